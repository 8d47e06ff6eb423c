-- How many jobs there are of each state, and how long the first of them has been ready.
select state, count(*), greatest(extract(epoch from clock_timestamp() - min(ready_at)), 0)::float8
from jobs.queue
group by state
