-- All lanes with something in them, each with its oldest: from lane to lane along the index.
with recursive lane as (
    (select org_id, priority, ready_at from jobs.queue where state = 'ready'
    order by org_id, priority, ready_at, id limit 1)
    union all
    select next.* from lane cross join lateral (
        select org_id, priority, ready_at from jobs.queue
        where state = 'ready' and (org_id, priority) > (lane.org_id, lane.priority)
        order by org_id, priority, ready_at, id limit 1) next)
select org_id, priority, ready_at from lane limit 20000
