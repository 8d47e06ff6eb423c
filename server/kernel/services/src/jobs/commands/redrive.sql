-- Of several dead jobs with one key the oldest alone can wait.
with dead as (
    select id, row_number() over (partition by org_id, name, coalesce(unique_key, id::text) order by id) as nth
    from jobs.queue d
    where state = 'dead' and ($1::uuid is null or org_id = $1) and ($2::text is null or name = $2)
        and (unique_key is null or not exists (
            select from jobs.queue q where q.org_id = d.org_id and q.name = d.name and q.unique_key = d.unique_key
            and q.state in ('waiting', 'held', 'ready', 'running')))
    order by id limit 10000)
update jobs.queue q set state = 'waiting', run_at = now(), attempts = 0, started_at = null
from dead where q.id = dead.id and dead.nth = 1 and q.state = 'dead'
returning q.org_id, q.id, q.name
