-- Moves finished and cancelled jobs to the history, those alone whose fence is still the worker's. `$4` is how long ago each began.
with ended as materialized (
    select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::double precision[], $5::jsonb[])
        e (id, fence, outcome, began, error)),
gone as (
    delete from jobs.queue q using ended e where q.id = e.id and q.fence = e.fence and q.state = 'running'
    returning q.id, q.org_id, q.user_id, q.name, e.outcome, q.priority, q.attempts, e.error, q.created_at, q.ready_at,
        clock_timestamp() - make_interval(secs => e.began) as started_at, q.limit_key),
kept as (
    insert into jobs.history (id, org_id, user_id, name, outcome, priority, attempts, error, created_at, ready_at,
        started_at)
    select id, org_id, user_id, name, outcome, priority, attempts, error, created_at, ready_at, started_at from gone)
select id, org_id, limit_key from gone
