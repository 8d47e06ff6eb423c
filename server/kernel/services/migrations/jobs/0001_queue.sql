-- The queue of work. One module owns it; nobody else reads or writes it except through jobs.enqueue.
create table jobs.queue (
    id uuid primary key,
    org_id uuid not null,
    user_id uuid,
    name text not null,
    payload jsonb not null,
    unique_key text,
    state text not null default 'waiting' check (state in ('waiting', 'running', 'dead')),
    priority smallint not null default 0,
    run_at timestamptz not null default now(),
    attempts int not null default 0,
    max_attempts int not null,
    worker uuid,
    fence bigint not null default 0,
    lease_until timestamptz,
    progress jsonb,
    error jsonb,
    created_at timestamptz not null default now()
);
comment on column jobs.queue.fence is
    'Grows with every claim. A worker that lost its lease knows an older number and can neither finish nor progress.';
create index queue_waiting on jobs.queue (priority desc, run_at, id) where state = 'waiting';
create index queue_running on jobs.queue (lease_until) where state = 'running';
create unique index queue_unique on jobs.queue (org_id, name, unique_key) where state in ('waiting', 'running');
select kernel.system_table('jobs.queue', 'workers take work of all organisations');

create table jobs.history (
    id uuid not null,
    org_id uuid not null,
    user_id uuid,
    name text not null,
    attempts int not null,
    created_at timestamptz not null,
    finished_at timestamptz not null default now(),
    primary key (org_id, finished_at, id)
);
select kernel.system_table('jobs.history', 'finished work of all organisations');

-- Enqueues in the caller's transaction and organisation; null if a job with that key is waiting or running.
create function jobs.enqueue(
    p_id uuid, p_name text, p_payload jsonb, p_unique_key text, p_delay double precision, p_priority smallint,
    p_max_attempts int
) returns uuid language plpgsql security definer set search_path = '' as $$
declare
    enqueued uuid;
begin
    insert into jobs.queue (id, org_id, user_id, name, payload, unique_key, run_at, priority, max_attempts)
    values (p_id, tenancy.org_id(), tenancy.user_id(), p_name, p_payload, p_unique_key,
        now() + make_interval(secs => p_delay), p_priority, p_max_attempts)
    on conflict (org_id, name, unique_key) where state in ('waiting', 'running') do nothing
    returning id into enqueued;
    perform pg_catalog.pg_notify('tenon_jobs', '');
    return enqueued;
end $$;
grant execute on function jobs.enqueue to service_role;
