-- Drops the oldest events of an organisation that all consumers have had and that are old enough; looks at so many.
with floor as (
    select coalesce(min(coalesce(k.seq, 0)), 9223372036854775807) as seq
    from events.consumers c left join events.cursors k on k.org_id = $1 and k.consumer = c.name
    where c.seen_at > now() - interval '7 days'),
oldest as (
    select o.seq, o.at from events.outbox o, floor
    where o.org_id = $1 and o.seq <= floor.seq order by o.seq limit $3)
delete from events.outbox o using oldest
where o.org_id = $1 and o.seq = oldest.seq and oldest.at < now() - make_interval(days => $2)
