-- What SQL written for a local Supabase stack finds in its database, besides what Tenon has anyway. Run at each start; what is there
-- stays as it is.
do $$
declare
    wanted record;
begin
    for wanted in
        select * from (values
            ('authenticator', 'login noinherit'),
            ('supabase_admin', 'nologin noinherit'),
            ('supabase_auth_admin', 'nologin noinherit'),
            ('dashboard_user', 'nologin noinherit')) as roles(name, attributes)
    loop
        if not exists (select from pg_catalog.pg_roles r where r.rolname = wanted.name) then
            execute format('create role %I %s', wanted.name, wanted.attributes);
        end if;
    end loop;
    grant anon, authenticated, service_role to authenticator;
end $$;

create schema if not exists extensions;
create extension if not exists pgcrypto with schema extensions;
do $$
begin
    if exists (select from pg_catalog.pg_available_extensions e where e.name = 'uuid-ossp') then
        create extension if not exists "uuid-ossp" with schema extensions;
    elsif to_regprocedure('extensions.uuid_generate_v4()') is null then
        create function extensions.uuid_generate_v4() returns uuid language sql volatile parallel safe
            return pg_catalog.gen_random_uuid();
    end if;
end $$;
grant usage on schema extensions to public;
grant execute on all routines in schema extensions to public;

create schema if not exists graphql_public;
-- As it answers where pg_graphql is not installed.
create or replace function graphql_public.graphql(
    "operationName" text default null, query text default null, variables jsonb default null, extensions jsonb default null)
returns jsonb language sql immutable as $$
    select jsonb_build_object('errors',
        jsonb_build_array(jsonb_build_object('message', 'pg_graphql extension is not enabled.')))
$$;
grant usage on schema graphql_public to anon, authenticated, service_role;
grant execute on all routines in schema graphql_public to anon, authenticated, service_role;

grant usage on schema auth to anon, authenticated, service_role;

do $$
begin
    -- Names without a schema are found in extensions, too.
    execute format('alter role %I in database %I set search_path = "$user", public, extensions',
        current_user, current_database());
end $$;
