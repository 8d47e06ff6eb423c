-- As before, and what functions and policies in schemas of the operator's own expect besides: where names without a schema
-- are looked for, and the headers of the request. Both are null for everything that is Tenon's.
drop function kernel.begin_request(text, uuid, text, uuid, text, text, text, boolean);
create function kernel.begin_request(
    p_role text, p_user uuid, p_claims text, p_org uuid, p_slug text, p_method text, p_path text, p_read_only boolean,
    p_search_path text default null, p_headers text default null
) returns table (org_id uuid, member_role text, permissions text) language plpgsql as $$
declare
    department text;
begin
    if p_role not in ('anon', 'authenticated', 'service_role') then
        raise exception 'no such request role: %', p_role;
    end if;
    if p_user is not null then
        select m.org_id, m.member_role, m.department, m.permissions
        into org_id, member_role, department, permissions
        from tenancy.resolve(p_user, p_org, p_slug) m;
        if not found and (p_org is not null or p_slug is not null) then
            perform kernel.raise(404, 'tenancy.org_not_found', 'There is no such organisation.', null,
                'Name an organisation you belong to in the header x-org-id.');
        end if;
    elsif p_role = 'service_role' then
        raise exception 'server code acts for somebody';
    end if;
    perform
        kernel.set_context('tenancy.org_id', coalesce(org_id::text, '')),
        kernel.set_context('tenancy.role', coalesce(member_role, '')),
        kernel.set_context('tenancy.department', coalesce(department, '')),
        kernel.set_context('tenancy.permissions', coalesce(permissions, '')),
        kernel.set_context('request.jwt.claims', p_claims),
        kernel.set_context('request.jwt.claim.sub', coalesce(p_user::text, '')),
        kernel.set_context('request.jwt.claim.role', case when p_user is null then 'anon' else 'authenticated' end),
        kernel.set_context('request.method', coalesce(p_method, '')),
        kernel.set_context('request.path', coalesce(p_path, '')),
        case when p_headers is not null then kernel.set_context('request.headers', p_headers) end,
        case when p_search_path is not null then kernel.set_context('search_path', p_search_path) end,
        case when p_read_only then kernel.set_context('transaction_read_only', 'on') end,
        kernel.set_context('role', p_role);
    return next;
end $$;
grant execute on function kernel.begin_request(text, uuid, text, uuid, text, text, text, boolean, text, text)
    to tenon_authenticator;
