-- What kind every table is. A test walks the catalogue: a table that is not registered here fails it.
create table kernel.tables (
    relation regclass primary key,
    kind text not null check (kind in ('tenant', 'shared', 'system')),
    reason text not null default ''
);
comment on table kernel.tables is
    'tenant: rows of one organisation, walled by org_id; shared: small tables about organisations and people, limited by '
    'policies; system: the kernel''s own, out of reach of requests.';
grant select on kernel.tables to tenon_authenticator, anon, authenticated, service_role, tenon_system;

-- A module's own schema. Names are resolved by everybody; rights on tables are given one by one.
create function kernel.module_schema(name text) returns void language plpgsql as $$
begin
    execute format('create schema if not exists %I', name);
    execute format(
        'grant usage on schema %I to tenon_authenticator, anon, authenticated, service_role, tenon_system, tenon_loader',
        name);
end $$;

-- Declares a tenant table: row-level security enabled and forced, one permissive policy a command, rights for server
-- code (service_role) and, for the commands in `api`, for the data API (authenticated).
-- `read` and `write` are permissions; without `write` nobody but a migration may change rows.
-- `condition` is a further condition of every policy, on the row or the request's context.
create function kernel.tenant_table(
    relation regclass,
    read text,
    write text default null,
    api text[] default '{select}',
    condition text default null
) returns void language plpgsql as $$
declare
    -- The permission is asked as a second equality on org_id, not as tenancy.can(): that would be a filter run for every
    -- row that spoils the planner's estimates, while equalities of one column become an index condition and a test that
    -- runs once a statement.
    wall constant text := 'org_id = tenancy.org_id() and org_id = tenancy.org_if(%L)';
    may_read constant text := format(wall, read) || coalesce(' and (' || condition || ')', '');
    may_write constant text := format(wall, write) || coalesce(' and (' || condition || ')', '');
    command text;
begin
    if not exists (
        select from pg_attribute
        where attrelid = relation and attname = 'org_id' and attnotnull and atttypid = 'uuid'::regtype) then
        raise exception 'tenant table % needs a column org_id uuid not null', relation;
    end if;
    execute format('alter table %s enable row level security', relation);
    execute format('alter table %s force row level security', relation);
    execute format('create policy tenant_select on %s for select using (%s)', relation, may_read);
    execute format('grant select on %s to service_role', relation);
    if write is not null then
        execute format('create policy tenant_insert on %s for insert with check (%s)', relation, may_write);
        execute format(
            'create policy tenant_update on %s for update using (%s) with check (%s)', relation, may_write, may_write);
        execute format('create policy tenant_delete on %s for delete using (%s)', relation, may_write);
        execute format('grant insert, update, delete on %s to service_role', relation);
    end if;
    foreach command in array api loop
        if command not in ('select', 'insert', 'update', 'delete') then
            raise exception 'unknown command % in api', command;
        end if;
        execute format('grant %s on %s to authenticated', command, relation);
    end loop;
    insert into kernel.tables (relation, kind) values (relation, 'tenant');
end $$;

-- Declares a small table about organisations or people. The owner's functions and the kernel itself reach all rows.
create function kernel.shared_table(relation regclass, reason text) returns void language plpgsql as $$
begin
    execute format('alter table %s enable row level security', relation);
    execute format('grant select, insert, update, delete on %s to tenon_system', relation);
    execute format('create policy kernel_all on %s for all to tenon_system using (true) with check (true)', relation);
    insert into kernel.tables (relation, kind, reason) values (relation, 'shared', reason);
end $$;

-- Declares a table of the kernel that no request reaches.
create function kernel.system_table(relation regclass, reason text) returns void language plpgsql as $$
begin
    execute format('alter table %s enable row level security', relation);
    execute format('grant select, insert, update, delete on %s to tenon_system', relation);
    execute format('create policy kernel_all on %s for all to tenon_system using (true) with check (true)', relation);
    insert into kernel.tables (relation, kind, reason) values (relation, 'system', reason);
end $$;

insert into kernel.tables (relation, kind, reason) values
    ('kernel.tables', 'system', 'names of tables only; readable by all roles'),
    ('kernel.migrations', 'system', 'the ledger; written by migrations only');

-- Makes a function the way in for many rows at once: server code alone may call it, and while it runs PostgreSQL leaves
-- out what it would do row by row for foreign keys, so the function has to do that itself and for all rows together:
-- lock the rows they refer to (FOR KEY SHARE, as the foreign key does) and write no other reference. It runs as
-- tenon_loader, which is under row-level security like everybody and may do only what is granted to it.
-- Where the one who migrates is no superuser, foreign keys are checked row by row besides.
create function kernel.bulk_loader(loader regprocedure) returns void language plpgsql as $$
declare
    home constant text := (
        select n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid = loader);
begin
    execute format('alter function %s security definer set search_path = ''''', loader);
    if has_parameter_privilege('tenon_loader', 'session_replication_role', 'set') and (
        select rolsuper from pg_roles where rolname = current_user) then
        execute format('alter function %s set session_replication_role = replica', loader);
    end if;
    execute format('grant create on schema %I to tenon_loader', home);
    execute format('alter function %s owner to tenon_loader', loader);
    execute format('revoke create on schema %I from tenon_loader', home);
    execute format('revoke all on function %s from public', loader);
    execute format('grant execute on function %s to service_role', loader);
end $$;
