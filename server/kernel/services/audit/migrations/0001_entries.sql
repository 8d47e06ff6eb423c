-- The trail: what was done in each organisation, by whom. Entries are only added, by functions of the owner; nobody who runs the
-- server may change or remove one. They lie by how long they are kept, then by month, so that what is old goes as a whole.

create table audit.classes (
    name text primary key check (name ~ '^[a-z]{1,20}$'),
    days int not null check (days >= 1)
);
comment on table audit.classes is 'How long entries are kept: at least so many days after their month is over.';
insert into audit.classes values ('standard', 30), ('year', 366), ('regulated', 2557);

create table audit.entries (
    org_id uuid not null,
    at timestamptz not null default clock_timestamp(),
    id uuid not null default gen_random_uuid(),
    class text not null,
    tx bigint not null default pg_current_xact_id()::text::bigint,
    actor_kind text not null,
    actor uuid,
    visit uuid,
    action text not null,
    relation text,
    row_key text,
    changes jsonb,
    details jsonb,
    tags text[] not null default '{}',
    origin jsonb,
    primary key (org_id, at, id, class)
) partition by list (class);
create index entries_row on audit.entries (org_id, relation, row_key, at);
comment on column audit.entries.tx is 'The transaction that wrote it; seals know by it what is complete.';
comment on column audit.entries.actor_kind is
    'user, key, server, visitor, or database: somebody on the database itself, whose login is in origin';
comment on column audit.entries.actor is 'The person or key; of the server, for whom it worked';
comment on column audit.entries.visit is 'Acting as support: the row of tenancy.support_access under which an operator was in';
comment on column audit.entries.changes is 'Fields that changed, as {"name": [before, after]}';
comment on column audit.entries.origin is 'address, agent, request, and key where a person used a token';
select kernel.tenant_table('audit.entries', read => 'audit.entries.read', api => '{}');
-- For the owner alone, who has these rights without a grant; it is held by policies where it is no superuser.
create policy tenant_insert on audit.entries for insert with check (org_id = (select tenancy.org_id()));
create policy tenant_delete on audit.entries for delete
    using (org_id = tenancy.org_id() and org_id = tenancy.org_if('tenancy.organization.delete'));

create table audit.parts (
    name text primary key,
    class text not null references audit.classes (name),
    month date,
    made_at timestamptz not null default now(),
    gone_at timestamptz
);
comment on table audit.parts is 'Partitions there are and were; one without a month takes what has no other.';
select
    kernel.system_table('audit.classes', 'the same for all organisations'),
    kernel.system_table('audit.parts', 'made and dropped by functions of the owner');
revoke insert, update, delete on audit.classes, audit.parts from tenon_system;

-- Makes a table of entries known as one that is reached through audit.entries alone.
create function audit.register(relation regclass) returns void language plpgsql as $$
begin
    execute format('alter table %s enable row level security', relation);
    insert into kernel.tables (relation, kind, reason) values (relation, 'system', 'a part of audit.entries, reached through it');
end $$;

do $$
declare
    kept text;
begin
    for kept in select name from audit.classes loop
        execute format('create table audit.%I partition of audit.entries for values in (%L) partition by range (at)',
            'entries_' || kept, kept);
        execute format('create table audit.%I partition of audit.%I default',
            'entries_' || kept || '_default', 'entries_' || kept);
        execute format('create index on audit.%I using brin (tx) with (autosummarize)', 'entries_' || kept || '_default');
        perform audit.register(format('audit.%I', 'entries_' || kept)::regclass),
            audit.register(format('audit.%I', 'entries_' || kept || '_default')::regclass);
        insert into audit.parts (name, class) values ('entries_' || kept || '_default', kept);
    end loop;
end $$;

-- Makes the partitions of this month and of some after it. It waits for no long transaction: the next time does it.
create function audit.make_ahead(p_now timestamptz, p_months int) returns int
language plpgsql security definer set search_path = '' set timezone = 'UTC' set lock_timeout = '3s' as $$
declare
    wanted record;
    made int := 0;
begin
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('tenon audit parts'));
    for wanted in
        select c.name as class, 'entries_' || c.name as parent, m.month::date as month,
            'entries_' || c.name || pg_catalog.to_char(m.month, '"_"YYYYMM') as name
        from audit.classes c
        cross join pg_catalog.generate_series(pg_catalog.date_trunc('month', p_now),
            pg_catalog.date_trunc('month', p_now) + pg_catalog.make_interval(months => p_months), '1 month') m (month)
        where not exists (select from audit.parts p where p.name = 'entries_' || c.name || pg_catalog.to_char(m.month, '"_"YYYYMM'))
        order by 1, 3
    loop
        execute pg_catalog.format('create table audit.%I (like audit.%I including defaults including constraints including indexes)',
            wanted.name, wanted.parent);
        execute pg_catalog.format('create index on audit.%I using brin (tx) with (autosummarize)', wanted.name);
        -- What came before there was a place for it. Under the lock of the partition that keeps it, nothing more comes.
        execute pg_catalog.format('lock table audit.%I in access exclusive mode', wanted.parent || '_default');
        execute pg_catalog.format('with moved as (delete from audit.%I where at >= $1 and at < $1 + interval ''1 month'' returning *) '
            'insert into audit.%I select * from moved', wanted.parent || '_default', wanted.name)
            using wanted.month::timestamptz;
        execute pg_catalog.format('alter table audit.%I attach partition audit.%I for values from (%L) to (%L)',
            wanted.parent, wanted.name, wanted.month::timestamptz, wanted.month::timestamptz + interval '1 month');
        perform audit.register(pg_catalog.format('audit.%I', wanted.name)::regclass);
        insert into audit.parts (name, class, month) values (wanted.name, wanted.class, wanted.month);
        made := made + 1;
    end loop;
    return made;
end $$;
grant execute on function audit.make_ahead(timestamptz, int) to tenon_system;
select audit.make_ahead(now(), 3);

-- How long an organisation's entries are kept follows its plan, or the operator's word about it alone. What is written already
-- stays where it is.
alter table tenancy.organizations add column trail text not null default 'standard' references audit.classes (name);
comment on column tenancy.organizations.trail is 'How long entries of its trail are kept; kept by triggers';

create function audit.class_of(plan text, settings jsonb) returns text language sql stable set search_path = '' as $$
    select case
        when tenancy.has_feature(plan, settings, 'audit_regulated') then 'regulated'
        when tenancy.has_feature(plan, settings, 'audit_year') then 'year'
        else 'standard' end
$$;

create function audit.keep_class() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    if tg_table_name = 'plans' then
        update tenancy.organizations o set trail = audit.class_of(o.plan, o.settings)
        where o.trail <> audit.class_of(o.plan, o.settings);
        return null;
    end if;
    new.trail := audit.class_of(new.plan, new.settings);
    return new;
end $$;
create trigger audit_class before insert or update of plan, settings on tenancy.organizations
    for each row execute function audit.keep_class();
create trigger audit_class after insert or update or delete on tenancy.plans
    for each statement execute function audit.keep_class();
