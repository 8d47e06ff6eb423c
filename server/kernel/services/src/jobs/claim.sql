-- Takes the oldest of each lane. Lanes begin at a floor, below which there was nothing when it was last looked: what is dead there, and
-- kept for an old transaction, is not walked over again. SKIP LOCKED lets workers pass each other; the fence grows with every claim.
with chosen as materialized (
    select job.id
    from unnest($2::uuid[], $3::smallint[], $4::timestamptz[], $5::bigint[]) lane (org_id, priority, since, most)
    cross join lateral (
        select j.id from jobs.queue j
        where j.state = 'ready' and j.org_id = lane.org_id and j.priority = lane.priority and j.ready_at >= lane.since
        order by j.ready_at, j.id
        limit lane.most
        for update skip locked) job)
update jobs.queue q
set state = 'running', worker = $1, attempts = attempts + 1, fence = fence + 1, started_at = null
from chosen where q.id = chosen.id
returning q.id, q.org_id, q.user_id, q.name, q.payload, q.attempts, q.max_attempts, q.fence, q.priority, q.ready_at,
    q.limit_key
