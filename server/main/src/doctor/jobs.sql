select count(*) filter (where state = 'dead'),
    count(*) filter (where state in ('waiting', 'ready') and greatest(run_at, coalesce(ready_at, run_at)) < now() - interval '10 minutes')
from jobs.queue
