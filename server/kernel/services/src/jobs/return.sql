-- Gives back jobs that were taken and not begun, or that a worker on its way out has stopped.
update jobs.queue q
set state = case when limit_key is null then 'ready' else 'held' end, worker = null, attempts = attempts - 1,
    fence = q.fence + 1, started_at = null
from unnest($1::uuid[], $2::bigint[]) back (id, fence)
where q.id = back.id and q.fence = back.fence and q.state = 'running'
returning q.id, q.org_id, q.limit_key, q.priority, q.ready_at
