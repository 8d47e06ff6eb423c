-- Limits with something before them.
select l.org_id, l.key from jobs.limits l
where exists (select from jobs.queue q where q.state = 'held' and q.org_id = l.org_id and q.limit_key = l.key)
limit 20000
