-- The fingerprint that is known of a master key; the first that is met is.
with met as (
    insert into secrets.master_keys (keeper, version, fingerprint, first_seen_at)
    values ($1, $2, $3, $4)
    on conflict (keeper, version) do nothing
    returning fingerprint
)
select fingerprint from met
union all
select fingerprint from secrets.master_keys where keeper = $1 and version = $2
limit 1
