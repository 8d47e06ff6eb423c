-- The context of a request: set once by kernel.begin_request, read by every policy. The readers are plain STABLE SQL
-- without SECURITY DEFINER and without SET, so that PostgreSQL inlines them and evaluates them once a statement.
create function tenancy.org_id() returns uuid language sql stable parallel safe as $$
    select nullif(current_setting('tenancy.org_id', true), '')::uuid
$$;
create function tenancy.can(permission text) returns boolean language sql stable parallel safe as $$
    select strpos(current_setting('tenancy.permissions', true), ',' || permission || ',') > 0
$$;
-- The organisation, if the caller has the permission in it; what policies compare org_id with.
create function tenancy.org_if(permission text) returns uuid language sql stable parallel safe as $$
    select case when strpos(current_setting('tenancy.permissions', true), ',' || permission || ',') > 0
        then nullif(current_setting('tenancy.org_id', true), '')::uuid end
$$;
create function tenancy.user_id() returns uuid language sql stable parallel safe as $$
    select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid
$$;
create function tenancy.member_role() returns text language sql stable parallel safe as $$
    select nullif(current_setting('tenancy.role', true), '')
$$;
grant execute on function tenancy.org_id(), tenancy.can(text), tenancy.org_if(text), tenancy.user_id(), tenancy.member_role()
    to tenon_authenticator, anon, authenticated, service_role, tenon_system, tenon_loader;

-- Looks a membership up. It runs with the owner's rights, because the caller has none yet.
create function tenancy.resolve(p_user uuid, p_org uuid, p_slug text)
returns table (org_id uuid, member_role text, department text, permissions text)
language plpgsql stable security definer set search_path = '' as $$
begin
    if p_org is not null then
        return query
            select m.org_id, m.role, m.department, r.permissions
            from tenancy.memberships m join tenancy.role_permissions r on r.role = m.role
            where m.org_id = p_org and m.user_id = p_user;
    elsif p_slug is not null then
        return query
            select m.org_id, m.role, m.department, r.permissions
            from tenancy.organizations o
            join tenancy.memberships m on m.org_id = o.id and m.user_id = p_user
            join tenancy.role_permissions r on r.role = m.role
            where o.slug = p_slug;
    else
        return query
            select m.org_id, m.role, m.department, r.permissions
            from tenancy.memberships m join tenancy.role_permissions r on r.role = m.role
            where m.user_id = p_user
            order by m.created_at, m.org_id
            limit 1;
    end if;
end $$;

-- The start of every request. It resolves the tenancy once and sets everything a policy may read, for this transaction
-- only; the role comes last, because after it the login's own rights are gone.
create function kernel.begin_request(
    p_role text, p_user uuid, p_claims text, p_org uuid, p_slug text, p_method text, p_path text, p_read_only boolean
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
        case when p_read_only then kernel.set_context('transaction_read_only', 'on') end,
        kernel.set_context('role', p_role);
    return next;
end $$;

-- The start of a job's transaction: the server works in an organisation, perhaps on behalf of a person.
create function kernel.begin_job(p_org uuid, p_user uuid)
returns table (org_id uuid, member_role text, permissions text)
language plpgsql as $$
begin
    org_id := p_org;
    permissions := tenancy.server_permissions();
    perform
        kernel.set_context('tenancy.org_id', p_org::text),
        kernel.set_context('tenancy.role', ''),
        kernel.set_context('tenancy.department', ''),
        kernel.set_context('tenancy.permissions', permissions),
        kernel.set_context('request.jwt.claims', '{"role":"service_role"}'),
        kernel.set_context('request.jwt.claim.sub', coalesce(p_user::text, '')),
        kernel.set_context('request.jwt.claim.role', 'service_role'),
        kernel.set_context('role', 'service_role');
    return next;
end $$;

create function tenancy.server_permissions() returns text
language sql stable security definer set search_path = '' as $$
    select r.permissions from tenancy.role_permissions r where r.role = '*'
$$;

-- The start of work across organisations. The reason stands in the context for whoever audits it.
create function kernel.begin_system(reason text) returns void language plpgsql as $$
begin
    perform
        kernel.set_context('tenancy.org_id', ''),
        kernel.set_context('tenancy.permissions', ''),
        kernel.set_context('tenancy.reason', reason),
        kernel.set_context('role', 'tenon_system');
end $$;

-- Only the login may open the door; whoever is through it already may not choose anew.
grant execute on function
    tenancy.resolve(uuid, uuid, text), tenancy.server_permissions(),
    kernel.begin_request(text, uuid, text, uuid, text, text, text, boolean),
    kernel.begin_job(uuid, uuid), kernel.begin_system(text)
    to tenon_authenticator;
