-- Jobs that come again: when, by a cron expression in a time zone, and what of.
create table jobs.schedules (
    org_id uuid not null,
    id uuid not null,
    name text not null check (length(name) between 1 and 200),
    user_id uuid,
    cron text not null,
    zone text not null,
    overlap text not null check (overlap in ('skip', 'queue', 'allow')),
    missed text not null check (missed in ('skip', 'once', 'all')),
    job text not null,
    payload jsonb not null,
    max_attempts int not null,
    paused_at timestamptz,
    next_at timestamptz,
    last_at timestamptz,
    last_job uuid,
    error text,
    created_at timestamptz not null default now(),
    primary key (org_id, id),
    unique (org_id, name)
);
comment on column jobs.schedules.next_at is 'Null: to be worked out; what came due before counts as never due.';
create index schedules_due on jobs.schedules (next_at nulls first) where paused_at is null;
select kernel.system_table('jobs.schedules', 'workers enqueue what is due in all organisations');

-- In the caller's organisation and name. An equal schedule goes on as it was; a changed one begins anew.
create function jobs.put_schedule(
    p_id uuid, p_name text, p_cron text, p_zone text, p_overlap text, p_missed text, p_job text, p_payload jsonb,
    p_max_attempts int
) returns uuid language plpgsql security definer set search_path = '' as $$
declare
    put uuid;
begin
    if tenancy.org_id() is null then
        raise exception 'a schedule needs an organisation';
    end if;
    insert into jobs.schedules as s (org_id, id, name, user_id, cron, zone, overlap, missed, job, payload, max_attempts)
    values (tenancy.org_id(), p_id, p_name, tenancy.user_id(), p_cron, p_zone, p_overlap, p_missed, p_job, p_payload,
        p_max_attempts)
    on conflict (org_id, name) do update set user_id = excluded.user_id, cron = excluded.cron, zone = excluded.zone,
        overlap = excluded.overlap, missed = excluded.missed, job = excluded.job, payload = excluded.payload,
        max_attempts = excluded.max_attempts, error = null,
        next_at = case when (s.cron, s.zone) = (excluded.cron, excluded.zone) then s.next_at end
    returning s.id into put;
    perform pg_catalog.pg_notify('tenon_jobs', 'd');
    return put;
end $$;
revoke all on function jobs.put_schedule from public;

create function jobs.drop_schedule(p_name text) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
    delete from jobs.schedules where org_id = tenancy.org_id() and name = p_name;
    return found;
end $$;
revoke all on function jobs.drop_schedule from public;
grant execute on function jobs.put_schedule, jobs.drop_schedule to service_role;
