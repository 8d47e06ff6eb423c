-- Renews the worker's lease. The settings are this transaction's: statistics of a table that is empty now and full a moment later make plans
-- that read all of it.
with renewed as (
    insert into jobs.workers (id, lease_until) values ($1, now() + $2::bigint * interval '1 second')
    on conflict (id) do update set lease_until = excluded.lease_until
    returning 1)
select count(set_config(name, 'off', true)) from renewed, unnest(array['enable_seqscan', 'enable_bitmapscan', 'enable_sort',
    'enable_hashjoin', 'enable_mergejoin', 'jit']) name
