-- The outbox: facts in the order of their organisation, written in the transaction of the change they describe.
create table events.sequences (
    org_id uuid primary key,
    last bigint not null
);
select kernel.system_table('events.sequences', 'one counter an organisation, moved by events.emit');

create table events.outbox (
    org_id uuid not null,
    seq bigint not null,
    id uuid not null,
    kind text not null,
    subject uuid,
    payload jsonb not null,
    actor uuid,
    at timestamptz not null default now(),
    primary key (org_id, seq)
);
select kernel.system_table('events.outbox', 'read by consumers of all organisations with cursors of their own');

create function events.append(
    p_org uuid, p_actor uuid, p_ids uuid[], p_kinds text[], p_subjects uuid[], p_payloads jsonb[]
) returns bigint language plpgsql security definer set search_path = '' as $$
declare
    upto bigint;
    many constant int := cardinality(p_ids);
begin
    insert into events.sequences as s (org_id, last) values (p_org, many)
    on conflict (org_id) do update set last = s.last + excluded.last
    returning last into upto;
    insert into events.outbox (org_id, seq, id, kind, subject, payload, actor)
    select p_org, upto - many + n, id, kind, subject, payload, p_actor
    from unnest(p_ids, p_kinds, p_subjects, p_payloads) with ordinality event (id, kind, subject, payload, n);
    perform pg_catalog.pg_notify('tenon_events', p_org::text);
    return upto;
end $$;
revoke all on function events.append from public;
grant execute on function events.append to tenon_system;

-- What server code calls: the organisation is that of its transaction, whatever it says.
create function events.emit(p_ids uuid[], p_kinds text[], p_subjects uuid[], p_payloads jsonb[])
returns bigint language plpgsql security definer set search_path = '' as $$
begin
    if tenancy.org_id() is null then
        raise exception 'an event needs an organisation';
    end if;
    return events.append(tenancy.org_id(), tenancy.user_id(), p_ids, p_kinds, p_subjects, p_payloads);
end $$;
grant execute on function events.emit to service_role;
