-- Moves jobs that were cancelled and do not run to the history.
with gone as (
    delete from jobs.queue where id = any($1) and state <> 'running' and cancel_at is not null returning *),
kept as (
    insert into jobs.history (id, org_id, user_id, name, outcome, priority, attempts, error, created_at, ready_at)
    select id, org_id, user_id, name, 'cancelled', priority, attempts, error, created_at, ready_at from gone)
select id, org_id, limit_key from gone
