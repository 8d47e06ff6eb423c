-- Consumers, and how far each has come in each organisation.
create table events.consumers (
    name text primary key check (length(name) between 1 and 100),
    since timestamptz not null default now(),
    seen_at timestamptz not null default now()
);
comment on table events.consumers is 'What some version of the server has declared. One that no server declares any more holds nothing back after a while.';
select kernel.system_table('events.consumers', 'the same for all organisations');

create table events.cursors (
    org_id uuid not null,
    consumer text not null,
    seq bigint not null default 0,
    singly_until bigint,
    attempts int not null default 0,
    error jsonb,
    next_at timestamptz,
    moved_at timestamptz not null default now(),
    primary key (org_id, consumer)
);
comment on column events.cursors.seq is 'The last event that was handled or is none of the consumer''s.';
comment on column events.cursors.singly_until is 'Events come one by one up to this one, since one of them failed.';
comment on column events.cursors.attempts is 'Failures of the next event.';
create index cursors_waiting on events.cursors (next_at) where next_at is not null;
alter table events.cursors set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
select kernel.system_table('events.cursors', 'workers hand out the events of all organisations');

-- Events that a consumer could not handle, as they stood in the outbox, which forgets them sooner.
create table events.aside (
    org_id uuid not null,
    id uuid not null,
    consumer text not null,
    seq bigint not null,
    event_id uuid not null,
    kind text not null,
    subject uuid,
    payload jsonb not null,
    actor uuid,
    at timestamptz not null,
    attempts int not null,
    error jsonb,
    aside_at timestamptz not null default now(),
    retry_at timestamptz,
    primary key (org_id, id),
    unique (org_id, consumer, seq)
);
create index aside_again on events.aside (retry_at) where retry_at is not null;
select kernel.system_table('events.aside', 'workers hand out the events of all organisations');

-- The next events of a consumer in the organisation of the transaction, which has the consumer's place to itself until it ends. No row: somebody
-- else has it, it waits, or the organisation is about to be deleted. A row without an event: none of its own up to `upto`.
create function events.take(p_consumer text, p_kinds text[], p_most bigint)
returns table (
    upto bigint, after bigint, attempts int, singly boolean,
    seq bigint, id uuid, kind text, subject uuid, payload jsonb, actor uuid, at timestamptz
) language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
declare
    org constant uuid := tenancy.org_id();
    place events.cursors;
    last_looked bigint;
    last_own bigint;
    own bigint;
    most bigint := p_most;
begin
    select * into place from events.cursors c where c.org_id = org and c.consumer = p_consumer for update skip locked;
    if not found then
        insert into events.cursors (org_id, consumer) values (org, p_consumer) on conflict do nothing returning * into place;
        if not found then
            return;
        end if;
    end if;
    if place.next_at > now() then
        return;
    end if;
    if place.singly_until > place.seq then
        most := 1;
    end if;
    select max(w.seq) into last_looked
    from (select o.seq from events.outbox o where o.org_id = org and o.seq > place.seq order by o.seq limit 1000) w;
    if last_looked is null then
        return;
    end if;
    -- Whoever deletes the organisation waits for this transaction, and finds what it wrote.
    perform from tenancy.organizations o
    where o.id = org and (o.delete_after is null or o.delete_after > now()) for key share;
    if not found then
        return;
    end if;
    select count(*), max(w.seq) into own, last_own
    from (select o.seq from events.outbox o
        where o.org_id = org and o.seq > place.seq and o.seq <= last_looked and o.kind like any (p_kinds)
        order by o.seq limit most) w;
    return query
    select case when own = most then last_own else last_looked end, place.seq, place.attempts, most = 1,
        o.seq, o.id, o.kind, o.subject, o.payload, o.actor, o.at
    from (values (1)) always (row)
    left join events.outbox o
        on o.org_id = org and o.seq > place.seq and o.seq <= last_own and o.kind like any (p_kinds)
    order by o.seq;
end $$;
revoke all on function events.take from public;
grant execute on function events.take to service_role;

-- Moves the consumer on, in the transaction that took its events.
create function events.move_on(p_consumer text, p_upto bigint) returns void
language sql security definer set search_path = '' as $$
    update events.cursors c
    set seq = p_upto, attempts = 0, error = null, next_at = null, moved_at = now(),
        singly_until = case when c.singly_until > p_upto then c.singly_until end
    where c.org_id = tenancy.org_id() and c.consumer = p_consumer and c.seq < p_upto
$$;
revoke all on function events.move_on from public;
grant execute on function events.move_on to service_role;

-- One event that was put aside and is to be tried again, taken out of those put aside by this transaction.
create function events.take_aside(p_consumer text)
returns table (
    aside uuid, attempts int, seq bigint, id uuid, kind text, subject uuid, payload jsonb, actor uuid, at timestamptz
) language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
declare
    org constant uuid := tenancy.org_id();
    chosen uuid;
begin
    select a.id into chosen from events.aside a
    where a.org_id = org and a.consumer = p_consumer and a.retry_at is not null
    order by a.seq limit 1 for update skip locked;
    if not found then
        return;
    end if;
    perform from tenancy.organizations o
    where o.id = org and (o.delete_after is null or o.delete_after > now()) for key share;
    if not found then
        return;
    end if;
    return query delete from events.aside a where a.org_id = org and a.id = chosen
    returning a.id, a.attempts, a.seq, a.event_id, a.kind, a.subject, a.payload, a.actor, a.at;
end $$;
revoke all on function events.take_aside from public;
grant execute on function events.take_aside to service_role;
