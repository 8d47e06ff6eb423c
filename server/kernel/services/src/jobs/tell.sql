-- Jobs behind a limit wait for it, all others stand in their lanes.
select count(*) from (
    select case when limit_key is null then jobs.tell_ready(org_id, priority, min(since))
        else jobs.tell_held(org_id, limit_key) end
    from unnest($1::uuid[], $2::smallint[], $3::text[], $4::timestamptz[]) lane (org_id, priority, limit_key, since)
    group by org_id, priority, limit_key) told (nothing)
