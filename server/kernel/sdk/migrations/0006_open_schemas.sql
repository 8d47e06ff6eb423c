-- Schemas of the operator's own in which the defaults of Supabase hold: what is made there is granted to anon, authenticated and
-- service_role, so that row-level security alone says who sees what, and no policy holds service_role. It is held by the
-- wall of Tenon's own tables as ever, which lie in other schemas.
create table kernel.open_schemas (
    name text primary key
);
select kernel.system_table('kernel.open_schemas', 'settled by the operator for the installation');

-- Lets service_role through where row-level security is on: a policy, since no role of a running server bypasses it.
create function kernel.admit_service_role() returns void language plpgsql set search_path = '' as $$
declare
    admitted record;
begin
    for admitted in
        select c.oid::regclass as name from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        join kernel.open_schemas o on o.name = n.nspname
        where c.relkind in ('r', 'p') and c.relrowsecurity and not exists (
            select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname = 'service_role sees all')
    loop
        execute format('create policy "service_role sees all" on %s to service_role using (true) with check (true)',
            admitted.name);
    end loop;
end $$;

create function kernel.admit_service_role_again() returns event_trigger
language plpgsql security definer set search_path = '' as $$
begin
    perform kernel.admit_service_role();
end $$;

-- Opens these schemas and no others; called by the server at start. What was granted before stays granted.
create function kernel.open(p_schemas text[]) returns void language plpgsql security definer set search_path = '' as $$
declare
    opened text;
begin
    foreach opened in array p_schemas loop
        if opened in ('kernel', 'auth') or exists (
            select from kernel.tables t join pg_catalog.pg_class c on c.oid = t.relation
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = opened) then
            perform kernel.raise(422, 'config.invalid', 'A schema of Tenon''s own cannot be opened: ' || opened, null,
                'rest.open_schemas names schemas of your own.');
        end if;
        if exists (select from pg_catalog.pg_namespace n where n.nspname = opened) then
            execute format('grant usage on schema %1$I to anon, authenticated, service_role;'
                'grant all on all tables in schema %1$I to anon, authenticated, service_role;'
                'grant all on all sequences in schema %1$I to anon, authenticated, service_role;'
                'grant execute on all routines in schema %1$I to anon, authenticated, service_role;'
                'alter default privileges in schema %1$I grant all on tables to anon, authenticated, service_role;'
                'alter default privileges in schema %1$I grant all on sequences to anon, authenticated, service_role;'
                'alter default privileges in schema %1$I grant execute on routines to anon, authenticated, service_role',
                opened);
        end if;
    end loop;
    delete from kernel.open_schemas where name <> all (p_schemas);
    insert into kernel.open_schemas select distinct unnest(p_schemas) on conflict do nothing;
    perform kernel.admit_service_role();
end $$;
grant execute on function kernel.open(text[]) to tenon_system;

do $$
begin
    create event trigger tenon_admit_service_role on ddl_command_end when tag in ('CREATE TABLE', 'ALTER TABLE')
        execute function kernel.admit_service_role_again();
exception when insufficient_privilege then
    null; -- only a superuser may; elsewhere the next start of the server admits it
end $$;
