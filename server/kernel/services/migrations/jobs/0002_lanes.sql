-- The queue in lanes. A job that can start is `ready` and stands in the lane of its organisation and priority, in the order in which it
-- became ready; `waiting` ones have their time still to come, `held` ones wait for their limit to let them through.
alter table jobs.queue
    add column ready_at timestamptz not null default now(),
    add column limit_key text check (length(limit_key) between 1 and 200),
    add column started_at timestamptz,
    add column cancel_at timestamptz;
comment on column jobs.queue.started_at is
    'Written before the last attempt alone: a worker that died before it began has not used that attempt up.';

drop index jobs.queue_waiting, jobs.queue_running, jobs.queue_unique;
alter table jobs.queue drop constraint queue_state_check;
alter table jobs.queue add constraint queue_state_check
    check (state in ('waiting', 'held', 'ready', 'running', 'dead'));
create index queue_ready on jobs.queue (org_id, priority, ready_at, id) where state = 'ready';
create index queue_waiting on jobs.queue (run_at) where state = 'waiting';
create index queue_held on jobs.queue (org_id, limit_key, priority desc, ready_at, id) where state = 'held';
create index queue_admitted on jobs.queue (org_id, limit_key)
    where limit_key is not null and state in ('ready', 'running');
create index queue_running on jobs.queue (worker) where state = 'running';
create index queue_dead on jobs.queue (org_id, id) where state = 'dead';
create unique index queue_unique on jobs.queue (org_id, name, unique_key)
    where unique_key is not null and state in ('waiting', 'held', 'ready', 'running');
alter table jobs.queue set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0.2);

-- A lease is its worker's, and holds for all jobs that the worker has: one row to renew, however many they are.
create table jobs.workers (
    id uuid primary key,
    lease_until timestamptz not null,
    since timestamptz not null default now()
);
select kernel.system_table('jobs.workers', 'processes that work on jobs of all organisations');
insert into jobs.workers (id, lease_until)
select worker, max(coalesce(lease_until, now())) from jobs.queue where state = 'running' and worker is not null group by worker;
update jobs.queue set state = 'waiting', fence = fence + 1 where state = 'running' and worker is null;
alter table jobs.queue drop column lease_until;

create table jobs.limits (
    org_id uuid not null,
    key text not null check (length(key) between 1 and 200),
    concurrent int check (concurrent > 0),
    rate int check (rate > 0),
    period_seconds double precision check (period_seconds > 0),
    tokens double precision not null default 0,
    filled_at timestamptz not null default now(),
    primary key (org_id, key),
    check ((rate is null) = (period_seconds is null))
);
select kernel.system_table('jobs.limits', 'workers let jobs of all organisations through');

-- What is over, by week.
alter table jobs.history rename to history_before;
alter table jobs.history_before rename constraint history_pkey to history_before_pkey;
create table jobs.history (
    id uuid not null,
    org_id uuid not null,
    user_id uuid,
    name text not null,
    outcome text not null default 'done' check (outcome in ('done', 'cancelled')),
    priority smallint not null default 0,
    attempts int not null,
    error jsonb,
    created_at timestamptz not null,
    ready_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz not null default now(),
    primary key (org_id, finished_at, id)
) partition by range (finished_at);
select kernel.system_table('jobs.history', 'finished work of all organisations');

-- Makes the weeks that come and drops those that nobody keeps. Attaching, since making a partition in place would wait for everybody who
-- reads the history, and make everybody wait who writes it. Gives the number of weeks dropped.
create function jobs.keep_history(p_days int, p_from timestamptz default now()) returns int
language plpgsql security definer set search_path = '' as $$
declare
    week timestamp;
    title text;
    old regclass;
    dropped int := 0;
begin
    if not pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('jobs.history', 0)) then
        return 0;
    end if;
    perform pg_catalog.set_config('lock_timeout', '500ms', true);
    for week in
        select w from pg_catalog.generate_series(
            pg_catalog.date_trunc('week', least(p_from, now()) at time zone 'UTC'),
            (now() at time zone 'UTC') + interval '3 weeks', interval '1 week') w
    loop
        title := 'history_' || pg_catalog.to_char(week, 'IYYY"w"IW');
        if pg_catalog.to_regclass('jobs.' || title) is null then
            execute pg_catalog.format('create table jobs.%I (like jobs.history including all)', title);
            execute pg_catalog.format('alter table jobs.%I enable row level security', title);
            execute pg_catalog.format('alter table jobs.history attach partition jobs.%I for values from (%L) to (%L)',
                title, week at time zone 'UTC', (week + interval '1 week') at time zone 'UTC');
        end if;
    end loop;
    for old in
        select i.inhrelid::regclass from pg_catalog.pg_inherits i
        join pg_catalog.pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'jobs.history'::regclass and c.relname < 'history_' || pg_catalog.to_char(
            (now() at time zone 'UTC') - pg_catalog.make_interval(days => p_days), 'IYYY"w"IW')
    loop
        begin
            execute pg_catalog.format('drop table %s', old);
            dropped := dropped + 1;
        exception when lock_not_available then
            -- Somebody reads it. Next time.
        end;
    end loop;
    return dropped;
end $$;
revoke all on function jobs.keep_history from public;
grant execute on function jobs.keep_history to tenon_system;
select jobs.keep_history(30, now() - interval '30 days');
insert into jobs.history (id, org_id, user_id, name, attempts, created_at, finished_at)
select id, org_id, user_id, name, attempts, created_at, finished_at from jobs.history_before
where finished_at > now() - interval '30 days' and finished_at <= now();
delete from kernel.tables where relation = 'jobs.history_before'::regclass;
drop table jobs.history_before;

-- What workers hear of: a lane with something in it since a moment, or a limit with something before it. Equal words of one transaction
-- are said once.
create function jobs.tell_ready(p_org uuid, p_priority smallint, p_at timestamptz) returns void
language sql volatile set search_path = '' as $$
    select pg_catalog.pg_notify('tenon_jobs', pg_catalog.format('r %s %s %s', p_org, p_priority,
        (extract(epoch from p_at) * 1000000)::bigint))
$$;
create function jobs.tell_held(p_org uuid, p_key text) returns void
language sql volatile set search_path = '' as $$
    select pg_catalog.pg_notify('tenon_jobs', pg_catalog.format('h %s %s', p_org, p_key))
$$;

grant execute on function jobs.tell_ready, jobs.tell_held to tenon_system;

-- Enqueues for an organisation; gives the ids of those whose unique key was free.
create function jobs.enqueue_in(
    p_org uuid, p_user uuid, p_name text, p_max_attempts int, p_ids uuid[], p_payloads jsonb[], p_unique_keys text[],
    p_delays double precision[], p_priorities smallint[],
    p_limit_keys text[], p_concurrents int[], p_rates int[], p_periods double precision[]
) returns uuid[] language plpgsql security definer set search_path = '' as $$
declare
    org constant uuid := p_org;
    enqueued uuid[];
begin
    if org is null then
        raise exception 'a job needs an organisation';
    end if;
    if exists (select from unnest(p_limit_keys) k where k is not null) then
        -- Only what is new or different is written: a row that is written waits for everybody's transaction before this one.
        insert into jobs.limits as l (org_id, key, concurrent, rate, period_seconds, tokens)
        select distinct on (key) org, key, concurrent, rate, period, coalesce(rate, 0)
        from unnest(p_limit_keys, p_concurrents, p_rates, p_periods) w (key, concurrent, rate, period)
        where key is not null and not exists (select from jobs.limits e where e.org_id = org and e.key = w.key)
        on conflict do nothing;
        update jobs.limits l
        set concurrent = w.concurrent, rate = w.rate, period_seconds = w.period, tokens = least(l.tokens, w.rate)
        from (select distinct on (key) * from unnest(p_limit_keys, p_concurrents, p_rates, p_periods)
            u (key, concurrent, rate, period)) w
        where l.org_id = org and l.key = w.key
            and (l.concurrent, l.rate, l.period_seconds) is distinct from (w.concurrent, w.rate, w.period);
    end if;
    with added as (
        insert into jobs.queue (id, org_id, user_id, name, payload, unique_key, state, run_at, ready_at, priority,
            max_attempts, limit_key)
        select j.id, org, p_user, p_name, j.payload, j.unique_key,
            case when j.delay > 0 then 'waiting' when j.limit_key is null then 'ready' else 'held' end,
            now() + pg_catalog.make_interval(secs => j.delay), now(), j.priority, p_max_attempts, j.limit_key
        from unnest(p_ids, p_payloads, p_unique_keys, p_delays, p_priorities, p_limit_keys)
            j (id, payload, unique_key, delay, priority, limit_key)
        on conflict (org_id, name, unique_key)
            where unique_key is not null and state in ('waiting', 'held', 'ready', 'running') do nothing
        returning id)
    select coalesce(pg_catalog.array_agg(id), '{}') from added into enqueued;
    perform jobs.tell_ready(org, w.priority, now()) from (
        select distinct j.priority from unnest(p_delays, p_priorities, p_limit_keys) j (delay, priority, limit_key)
        where j.delay <= 0 and j.limit_key is null) w;
    perform jobs.tell_held(org, w.limit_key) from (
        select distinct j.limit_key from unnest(p_delays, p_limit_keys) j (delay, limit_key)
        where j.delay <= 0 and j.limit_key is not null) w;
    -- Those that are due later than the next look need no word.
    if exists (select from unnest(p_delays) delay where delay > 0 and delay < 60) then
        perform pg_catalog.pg_notify('tenon_jobs', 'd');
    end if;
    return enqueued;
end $$;
revoke all on function jobs.enqueue_in from public;
grant execute on function jobs.enqueue_in to tenon_system;

-- Enqueues in the caller's transaction and organisation.
create function jobs.enqueue_all(
    p_name text, p_max_attempts int, p_ids uuid[], p_payloads jsonb[], p_unique_keys text[],
    p_delays double precision[], p_priorities smallint[],
    p_limit_keys text[], p_concurrents int[], p_rates int[], p_periods double precision[]
) returns uuid[] language sql security definer set search_path = '' as $$
    select jobs.enqueue_in(tenancy.org_id(), tenancy.user_id(), p_name, p_max_attempts, p_ids, p_payloads,
        p_unique_keys, p_delays, p_priorities, p_limit_keys, p_concurrents, p_rates, p_periods)
$$;
revoke all on function jobs.enqueue_all from public;
grant execute on function jobs.enqueue_all to service_role;

-- What servers of the version before call.
create or replace function jobs.enqueue(
    p_id uuid, p_name text, p_payload jsonb, p_unique_key text, p_delay double precision, p_priority smallint,
    p_max_attempts int
) returns uuid language sql security definer set search_path = '' as $$
    select (jobs.enqueue_all(p_name, p_max_attempts, array[p_id], array[p_payload], array[p_unique_key], array[p_delay],
        array[p_priority], array[null::text], array[null::int], array[null::int], array[null::double precision]))[1]
$$;

-- Finishes a job in the transaction of its own work, so that both are there or neither. False: another worker has it.
create function jobs.finish_own(p_id uuid, p_fence bigint) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
    with done as (
        delete from jobs.queue where id = p_id and fence = p_fence and state = 'running' and org_id = tenancy.org_id()
        returning *)
    insert into jobs.history (id, org_id, user_id, name, priority, attempts, created_at, ready_at, started_at)
    select id, org_id, user_id, name, priority, attempts, created_at, ready_at, now() from done;
    return found;
end $$;
revoke all on function jobs.finish_own from public;
grant execute on function jobs.finish_own to service_role;

-- Lets through what a limit has room for. Gives the seconds until time alone makes room for more, if something is still held by it.
-- One at a time for each limit; what is counted cannot change meanwhile but for jobs that end.
create function jobs.admit(p_org uuid, p_key text) returns double precision
language plpgsql set search_path = '' as $$
declare
    room bigint := 1000;
    full_tokens double precision;
    let_in bigint;
    lanes smallint[];
    l jobs.limits;
begin
    select * into l from jobs.limits where org_id = p_org and key = p_key for update;
    if l.concurrent is not null then
        room := least(room, l.concurrent - (select count(*) from jobs.queue
            where org_id = p_org and limit_key = p_key and limit_key is not null and state in ('ready', 'running')));
    end if;
    if l.rate is not null then
        -- A clock that was set back gives nothing, and takes nothing.
        full_tokens := least(l.rate, l.tokens + greatest(0, extract(epoch from clock_timestamp() - l.filled_at))
            * l.rate / l.period_seconds);
        room := least(room, floor(full_tokens + 0.000001)::bigint);
    end if;
    with next as (
        select id from jobs.queue where state = 'held' and org_id = p_org and limit_key = p_key
        order by priority desc, ready_at, id limit greatest(room, 0) for update),
    through as (
        update jobs.queue q set state = 'ready', ready_at = now() from next where q.id = next.id returning q.priority)
    select count(*), pg_catalog.array_agg(distinct priority) from through into let_in, lanes;
    perform jobs.tell_ready(p_org, lane, now()) from unnest(lanes) lane;
    if l.rate is not null then
        full_tokens := greatest(0, full_tokens - let_in);
        update jobs.limits set tokens = full_tokens, filled_at = clock_timestamp() where org_id = p_org and key = p_key;
    end if;
    if let_in < room or not exists (
        select from jobs.queue where state = 'held' and org_id = p_org and limit_key = p_key) then
        return null;
    end if;
    if let_in >= 1000 then
        return 0;
    end if;
    if l.rate is not null and full_tokens < 1 then
        return (1 - full_tokens) * l.period_seconds / l.rate;
    end if;
    return null;
end $$;
revoke all on function jobs.admit from public;
grant execute on function jobs.admit to tenon_system;
