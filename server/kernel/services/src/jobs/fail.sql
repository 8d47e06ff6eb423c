-- Puts failed jobs back with their pauses, or aside when nothing will change by trying again.
with failed as materialized (
    select * from unnest($1::uuid[], $2::bigint[], $3::boolean[], $4::double precision[], $5::jsonb[])
        f (id, fence, again, pause, error))
update jobs.queue q
set state = case when f.again then 'waiting' else 'dead' end, error = f.error, worker = null,
    run_at = now() + make_interval(secs => f.pause)
from failed f where q.id = f.id and q.fence = f.fence and q.state = 'running'
returning q.id, q.org_id, q.limit_key, q.cancel_at is not null
