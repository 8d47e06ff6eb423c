-- Raises an error of Tenon: SQLSTATE TN + HTTP status, the stable code in the constraint-name field.
create function kernel.raise(status int, code text, message text, details text default null, hint text default null)
returns void language plpgsql as $$
begin
    raise exception using
        errcode = 'TN' || status,
        message = message,
        constraint = code,
        detail = coalesce(details, ''),
        hint = coalesce(hint, '');
end $$;
grant execute on function kernel.raise to tenon_authenticator, anon, authenticated, service_role, tenon_system;

-- Sets one value of the request's context for the rest of the transaction. The one place to change where a database
-- must be told in another way (a distributed one forwards SET statements only).
create function kernel.set_context(name text, value text) returns text language sql as $$
    select set_config(name, value, true)
$$;
grant execute on function kernel.set_context to tenon_authenticator, anon, authenticated, service_role, tenon_system;
