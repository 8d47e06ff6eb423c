-- Takes due jobs, most urgent first. SKIP LOCKED lets workers pass each other; the fence grows with every claim.
update jobs.queue q
set state = 'running', worker = $1, attempts = attempts + 1, fence = fence + 1,
    lease_until = now() + $3::bigint * interval '1 second'
where q.id in (
    select id from jobs.queue
    where state = 'waiting' and run_at <= now()
    order by priority desc, run_at, id
    limit $2
    for update skip locked)
returning q.id, q.org_id, q.user_id, q.name, q.payload, q.attempts, q.max_attempts, q.fence
