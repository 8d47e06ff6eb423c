-- Gives back the jobs of workers that fell silent. One that took its workers down too often is put aside; one that was not begun has not
-- used its last attempt up; one that was to be cancelled is.
with silent as (
    delete from jobs.workers where lease_until <= now() returning id),
lost as (
    select q.id from jobs.queue q join silent s on q.worker = s.id where q.state = 'running' for update of q),
cancelled as (
    delete from jobs.queue q using lost where q.id = lost.id and q.cancel_at is not null returning q.*),
kept as (
    insert into jobs.history (id, org_id, user_id, name, outcome, priority, attempts, created_at, ready_at)
    select id, org_id, user_id, name, 'cancelled', priority, attempts, created_at, ready_at from cancelled),
back as (
    update jobs.queue q
    set state = case
            when attempts >= max_attempts and started_at is not null then 'dead'
            when limit_key is null then 'ready' else 'held' end,
        attempts = case when attempts >= max_attempts and started_at is null then attempts - 1 else attempts end,
        error = coalesce(error, jsonb_build_object(
            'code', 'jobs.worker_lost', 'message', 'The worker stopped before the job was finished.')),
        worker = null, fence = fence + 1, ready_at = now()
    from lost where q.id = lost.id and q.cancel_at is null
    returning q.org_id, q.priority, q.state, q.limit_key, q.ready_at)
select state, org_id, priority, limit_key, ready_at, count(*) from back group by 1, 2, 3, 4, 5
