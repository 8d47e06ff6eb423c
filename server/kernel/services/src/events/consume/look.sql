-- Places with something in front of them, and what is to be tried again.
select s.org_id, c.name
from unnest($1::text[]) c (name)
cross join events.sequences s
left join events.cursors k on k.org_id = s.org_id and k.consumer = c.name
where s.last > coalesce(k.seq, 0) and (k.next_at is null or k.next_at <= now())
union
select a.org_id, a.consumer from events.aside a where a.retry_at is not null and a.consumer = any ($1)
limit 10000
