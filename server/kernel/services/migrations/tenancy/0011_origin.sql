-- Where a request comes from is in the context of whatever it writes, and under which visit an operator acts who helps.

-- As before, and which visit it is.
drop function tenancy.resolve_support(uuid, uuid, text, text);
create function tenancy.resolve_support(p_user uuid, p_org uuid, p_slug text, p_claims text)
returns table (org_id uuid, permissions text, second_factor boolean, visit uuid)
language plpgsql stable security definer set search_path = '' as $$
begin
    if p_claims::jsonb ? 'client_id' then
        return;
    end if;
    return query
        select o.id, v.permissions, o.require_second_factor or s.aal = 'aal2', s.id
        from tenancy.support_access s
        join tenancy.organizations o on o.id = s.org_id
        join tenancy.role_variants v on v.role = 'support' and v.disabled_apps = o.disabled_apps
        join auth.users u on u.id = s.operator
        where s.operator = p_user and s.ended_at is null and s.ends_at > now()
            and (o.id = p_org or o.slug = p_slug)
            and u.is_super_admin and u.deleted_at is null and (u.banned_until is null or u.banned_until <= now())
            and (o.delete_after is null or o.delete_after > now())
        order by s.aal desc
        limit 1;
end $$;

-- As before, with the visit and the origin: a JSON object with address, agent, request, user and key, for the trail of what was done.
drop function kernel.begin_request(text, uuid, text, uuid, text, text, text, boolean, text, text, uuid);
create function kernel.begin_request(
    p_role text, p_user uuid, p_claims text, p_org uuid, p_slug text, p_method text, p_path text, p_read_only boolean,
    p_search_path text default null, p_headers text default null, p_key uuid default null, p_origin text default null
) returns table (org_id uuid, member_role text, permissions text) language plpgsql as $$
declare
    department text;
    second_factor boolean;
    suspended boolean;
    spaces text;
    visit uuid;
begin
    if p_role not in ('anon', 'authenticated', 'service_role') then
        raise exception 'no such request role: %', p_role;
    end if;
    if p_user is not null and p_key is null then
        select m.org_id, m.member_role, m.department, m.permissions, m.second_factor, m.suspended, m.spaces
        into org_id, member_role, department, permissions, second_factor, suspended, spaces
        from tenancy.resolve(p_user, p_org, p_slug) m;
        if org_id is null and p_slug is not null then
            select m.org_id, m.member_role, m.department, m.permissions, m.second_factor, m.suspended, m.spaces
            into org_id, member_role, department, permissions, second_factor, suspended, spaces
            from tenancy.called(p_slug) c cross join tenancy.resolve(p_user, c, null) m
            where c is not null;
        end if;
        if org_id is null and (p_org is not null or p_slug is not null) then
            select s.org_id, s.permissions, s.second_factor, s.visit into org_id, permissions, second_factor, visit
            from tenancy.resolve_support(p_user, p_org, p_slug, p_claims) s;
            if org_id is not null then
                member_role := 'support';
            end if;
        end if;
    elsif p_key is not null then
        select m.org_id, m.member_role, m.department, m.permissions, m.second_factor, m.suspended, m.spaces
        into org_id, member_role, department, permissions, second_factor, suspended, spaces
        from tenancy.resolve_key(p_key, p_user, p_org, p_slug) m;
    end if;
    -- Server code may act for nobody: then it sees no organisation. A visitor who names one is not told about it.
    if suspended or second_factor or org_id is null and (p_org is not null or p_slug is not null)
        and (p_user is not null or p_key is not null or p_role = 'service_role') then
        perform tenancy.refuse(org_id is not null, suspended, second_factor, p_claims);
    end if;
    perform
        kernel.set_context('tenancy.org_id', coalesce(org_id::text, '')),
        kernel.set_context('tenancy.role', coalesce(member_role, '')),
        kernel.set_context('tenancy.department', coalesce(department, '')),
        kernel.set_context('tenancy.permissions', coalesce(permissions, '')),
        case when spaces <> '' then kernel.set_context('tenancy.spaces', spaces) end,
        kernel.set_context('request.jwt.claims', p_claims),
        kernel.set_context('request.jwt.claim.sub', coalesce(p_user::text, '')),
        kernel.set_context('request.jwt.claim.role', case
            when p_user is not null or p_key is not null then 'authenticated'
            when p_role = 'service_role' then 'service_role' else 'anon' end),
        kernel.set_context('request.method', coalesce(p_method, '')),
        kernel.set_context('request.path', coalesce(p_path, '')),
        case when p_headers is not null then kernel.set_context('request.headers', p_headers) end,
        case when p_search_path is not null then kernel.set_context('search_path', p_search_path) end,
        case when visit is not null then kernel.set_context('tenancy.visit', visit::text) end,
        case when p_origin is not null then kernel.set_context('request.origin', p_origin) end,
        case when p_read_only then kernel.set_context('transaction_read_only', 'on') end,
        kernel.set_context('role', p_role);
    return next;
end $$;

drop function kernel.begin_system(text);
create function kernel.begin_system(reason text, p_origin text default null) returns void language plpgsql as $$
begin
    perform
        kernel.set_context('tenancy.org_id', ''),
        kernel.set_context('tenancy.permissions', ''),
        kernel.set_context('tenancy.reason', reason),
        case when p_origin is not null then kernel.set_context('request.origin', p_origin) end,
        kernel.set_context('role', 'tenon_system');
end $$;
grant execute on function
    tenancy.resolve_support(uuid, uuid, text, text),
    kernel.begin_request(text, uuid, text, uuid, text, text, text, boolean, text, text, uuid, text),
    kernel.begin_system(text, text)
    to tenon_authenticator;

-- As before; what the kernel may only add to goes with what owns it.
create or replace function tenancy.forget(p_org uuid, p_job uuid) returns void language plpgsql as $$
declare
    relation regclass;
begin
    delete from tenancy.organizations o where o.id = p_org and o.delete_after <= now();
    for relation in
        select t.relation from kernel.tables t
        join pg_class c on c.oid = t.relation and c.relkind in ('r', 'p')
        join pg_attribute a on a.attrelid = t.relation and a.attname = 'org_id' and not a.attisdropped
        where t.kind in ('shared', 'system') and has_table_privilege('tenon_system', t.relation, 'delete')
    loop
        if relation = 'jobs.queue'::regclass then
            delete from jobs.queue q where q.org_id = p_org and q.id <> p_job;
        else
            execute format('delete from %s where org_id = $1', relation) using p_org;
        end if;
    end loop;
end $$;
