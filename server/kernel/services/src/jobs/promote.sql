-- What has waited until its time comes into its lane, or before its limit.
with due as materialized (
    select id from jobs.queue where state = 'waiting' and run_at <= now() and run_at >= $1
    order by run_at limit 1000 for update skip locked),
up as (
    update jobs.queue q set state = case when limit_key is null then 'ready' else 'held' end, ready_at = now()
    from due where q.id = due.id
    returning q.org_id, q.priority, q.state, q.limit_key, q.ready_at)
select state, org_id, priority, limit_key, ready_at, count(*) from up group by 1, 2, 3, 4, 5
