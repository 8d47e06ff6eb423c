-- The roles of a running server. They own nothing, and none may bypass row-level security.
do $$
declare
    wanted record;
begin
    for wanted in
        select * from (values
            ('tenon_authenticator', 'login noinherit'),
            ('anon', 'nologin noinherit'),
            ('authenticated', 'nologin noinherit'),
            ('service_role', 'nologin noinherit'),
            ('tenon_system', 'nologin noinherit'),
            ('tenon_loader', 'nologin noinherit')) as roles(name, attributes)
    loop
        begin
            execute format('create role %I %s', wanted.name, wanted.attributes);
        exception when duplicate_object or unique_violation then
            null; -- roles are the cluster's; another database of it made them
        end;
    end loop;
    begin
        grant anon, authenticated, service_role, tenon_system to tenon_authenticator;
    exception when unique_violation or object_in_use or internal_error then
        null; -- the same grant, made by another database at the same moment
    end;
    -- The one who migrates must be able to become the login when no separate one is configured.
    if not pg_has_role(current_user, 'tenon_authenticator', 'member') then
        execute format('grant tenon_authenticator to %I', current_user);
    end if;
    if not pg_has_role(current_user, 'tenon_loader', 'member') then
        execute format('grant tenon_loader to %I', current_user);
    end if;
    begin
        grant set on parameter session_replication_role to tenon_loader;
    exception when insufficient_privilege then
        null; -- only a superuser may; kernel.bulk_loader does without
    when unique_violation or object_in_use or internal_error then
        null; -- as above
    end;
end $$;

grant usage on schema kernel to tenon_authenticator, anon, authenticated, service_role, tenon_system, tenon_loader;
revoke create on schema public from public;
alter default privileges revoke execute on functions from public;
