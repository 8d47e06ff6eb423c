-- Rights are asked once more where they are used, plans are rows, spaces wall, visits leave a name.

-- Plans as the operator of the installation writes them.
create table tenancy.plans (
    name text primary key check (name ~ '^[a-z][a-z0-9_-]{0,39}$'),
    title text not null check (length(trim(title)) between 1 and 80),
    place int not null,
    members int check (members >= 1),
    departments int check (departments >= 0),
    features text[] not null default '{}',
    updated_at timestamptz not null default now()
);
comment on table tenancy.plans is 'What organisations are entitled to. One whose plan is not here has the one of the least place.';
comment on column tenancy.plans.members is 'Most members, open invitations counted; null: no limit';
comment on column tenancy.plans.departments is 'Most departments; null: no limit';
select kernel.shared_table('tenancy.plans', 'the same for all organisations');
insert into tenancy.plans (name, title, place, members, departments, features) values
    ('free', 'Free', 1, 10, 5, '{branding}'),
    ('team', 'Team', 2, 100, 50, '{branding,api_keys}'),
    ('business', 'Business', 3, null, null, '{branding,custom_roles,api_keys}');

-- Whether an organisation has a feature: its own flag, else its plan, else the least plan.
create function tenancy.has_feature(plan text, settings jsonb, feature text) returns boolean
language sql stable set search_path = '' as $$
    select coalesce(
        case settings #> array['flags', feature] when 'true'::jsonb then true when 'false'::jsonb then false end,
        (select feature = any (p.features) from tenancy.plans p where p.name = plan),
        (select feature = any (p.features) from tenancy.plans p order by p.place, p.name limit 1),
        false)
$$;

-- Mails with invitations of the last hours: how many somebody sent, and when an address was last written to, whatever has become of
-- the invitations.
create table tenancy.invitation_mails (
    org_id uuid not null references tenancy.organizations (id) on delete cascade,
    email text not null,
    sent_by uuid not null references auth.users (id) on delete cascade,
    sent_at timestamptz not null
);
create index invitation_mails_person on tenancy.invitation_mails (sent_by, sent_at);
create index invitation_mails_address on tenancy.invitation_mails (org_id, email, sent_at);
select kernel.system_table('tenancy.invitation_mails', 'counted by the kernel alone');

-- Looked for whenever somebody founds an organisation.
create index organizations_founder on tenancy.organizations (created_by) where created_by is not null;

-- A visit keeps the name of who came when their account is gone.
alter table tenancy.support_access
    alter column operator drop not null,
    add column operator_name text not null default '',
    drop constraint support_access_operator_fkey,
    add foreign key (operator) references auth.users (id) on delete set null;
update tenancy.support_access s
set operator_name = left(coalesce(u.raw_user_meta_data ->> 'name', u.email, ''), 200)
from auth.users u where u.id = s.operator;
comment on column tenancy.support_access.operator_name is 'As it was when they came';

-- Makes somebody an operator of the installation, or takes that away, and writes it to the log; null if there is no such person.
create function tenancy.set_operator(p_user uuid, p_operates boolean, p_entry uuid, p_at timestamptz, p_by text)
returns boolean language plpgsql set search_path = '' as $$
declare
    before boolean;
begin
    select u.is_super_admin into before from auth.users u
    where u.id = p_user and u.deleted_at is null and not u.is_anonymous for update;
    if not found then
        return null;
    end if;
    if before is distinct from p_operates then
        update auth.users u set is_super_admin = p_operates where u.id = p_user;
        insert into auth.audit_log_entries (id, payload, created_at)
        values (p_entry, pg_catalog.jsonb_build_object(
            'action', case when p_operates then 'operator_added' else 'operator_removed' end,
            'actor_id', null, 'log_type', 'user', 'timestamp', p_at,
            'traits', pg_catalog.jsonb_build_object('user_id', p_user, 'by', p_by)), p_at);
    end if;
    return true;
end $$;
grant execute on function tenancy.set_operator(uuid, boolean, uuid, timestamptz, text) to tenon_system;

-- The spaces of a member stand beside their role, so that a request knows them without another look. Kept by triggers, which
-- reach the organisation's rows whoever the caller is: the settings of a function end with it.
alter table tenancy.memberships add column spaces text not null default '';
comment on column tenancy.memberships.spaces is 'Ids of the spaces they are in, by name and by department, as ,id,id, ; kept by triggers';

create function tenancy.in_space(space uuid) returns boolean language sql stable parallel safe as $$
    select current_setting('tenancy.spaces', true) = '*'
        or strpos(current_setting('tenancy.spaces', true), ',' || space::text || ',') > 0
$$;
comment on function tenancy.in_space is 'For policies: whether the caller is in a space. The server itself, in a job, is in all of them.';
grant execute on function tenancy.in_space(uuid)
    to tenon_authenticator, anon, authenticated, service_role, tenon_system, tenon_loader;

create function tenancy.spaces_of(p_org uuid, p_user uuid, p_department text) returns text
language plpgsql stable security definer set search_path = ''
set tenancy.org_id = '' set tenancy.permissions = ',access.spaces.read,' as $$
begin
    perform pg_catalog.set_config('tenancy.org_id', p_org::text, true);
    return coalesce((
        select ',' || pg_catalog.string_agg(s.id::text, ',' order by s.id) || ',' from tenancy.spaces s
        where s.org_id = p_org and (p_department = any (s.departments) or exists (
            select from tenancy.space_members p where p.org_id = p_org and p.space_id = s.id and p.user_id = p_user))), '');
end $$;

create function tenancy.refresh_spaces() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    org constant uuid := case when tg_op = 'DELETE' then old.org_id else new.org_id end;
begin
    if tg_table_name = 'space_members' then
        update tenancy.memberships m set spaces = tenancy.spaces_of(org, m.user_id, m.department)
        where m.org_id = org and m.user_id = case when tg_op = 'DELETE' then old.user_id else new.user_id end;
    elsif tg_op = 'DELETE' then
        update tenancy.memberships m set spaces = tenancy.spaces_of(org, m.user_id, m.department)
        where m.org_id = org and m.department = any (old.departments);
    else
        update tenancy.memberships m set spaces = tenancy.spaces_of(org, m.user_id, m.department)
        where m.org_id = org and m.department = any (old.departments || new.departments);
    end if;
    return null;
end $$;
create trigger refresh_spaces after insert or delete on tenancy.space_members
    for each row execute function tenancy.refresh_spaces();
create trigger refresh_spaces after delete on tenancy.spaces
    for each row execute function tenancy.refresh_spaces();
create trigger refresh_spaces_by_department after update of departments on tenancy.spaces
    for each row when (new.departments <> old.departments) execute function tenancy.refresh_spaces();

create function tenancy.keep_member_spaces() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    new.spaces := tenancy.spaces_of(new.org_id, new.user_id, new.department);
    return new;
end $$;
create trigger keep_member_spaces before insert or update of department on tenancy.memberships
    for each row execute function tenancy.keep_member_spaces();

-- Whoever is no member any more is in no space by name; a department keeps its spaces when it is renamed and leaves them when it
-- is removed.
create function tenancy.leave_spaces() returns trigger
language plpgsql security definer set search_path = ''
set tenancy.org_id = '' set tenancy.permissions = ',access.spaces.read,access.spaces.manage,' as $$
begin
    perform pg_catalog.set_config('tenancy.org_id', old.org_id::text, true);
    if tg_table_name = 'memberships' then
        delete from tenancy.space_members p where p.org_id = old.org_id and p.user_id = old.user_id;
    elsif tg_op = 'DELETE' then
        update tenancy.spaces s set departments = pg_catalog.array_remove(s.departments, old.name)
        where s.org_id = old.org_id and old.name = any (s.departments);
    else
        update tenancy.spaces s set departments = pg_catalog.array_replace(s.departments, old.name, new.name)
        where s.org_id = old.org_id and old.name = any (s.departments);
    end if;
    return null;
end $$;
create trigger leave_spaces after delete on tenancy.memberships
    for each row execute function tenancy.leave_spaces();
create trigger leave_spaces after delete on tenancy.departments
    for each row execute function tenancy.leave_spaces();
create trigger follow_spaces after update of name on tenancy.departments
    for each row when (new.name <> old.name) execute function tenancy.leave_spaces();

-- What there is already.
update tenancy.memberships m set spaces = tenancy.spaces_of(m.org_id, m.user_id, m.department)
where m.spaces is distinct from tenancy.spaces_of(m.org_id, m.user_id, m.department);

-- As before, with the spaces.
drop function tenancy.resolve(uuid, uuid, text);
create function tenancy.resolve(p_user uuid, p_org uuid, p_slug text)
returns table (
    org_id uuid, member_role text, department text, permissions text, second_factor boolean, suspended boolean, spaces text
) language plpgsql stable security definer set search_path = '' as $$
begin
    if p_org is not null then
        return query
            select m.org_id, case when m.custom_only then 'viewer' else m.role end, m.department,
                case when m.custom_only then ',tenancy.organization.read,' else v.permissions end || coalesce(c.permissions, ''),
                o.require_second_factor, o.suspended_at is not null, m.spaces
            from tenancy.memberships m
            join tenancy.organizations o on o.id = m.org_id
            join tenancy.role_variants v on v.role = m.role and v.disabled_apps = o.disabled_apps
            left join tenancy.roles c on c.org_id = m.org_id and c.id = m.custom_role
            where m.org_id = p_org and m.user_id = p_user and m.suspended_at is null
                and (m.barred_until is null or m.barred_until <= now())
                and (o.delete_after is null or o.delete_after > now());
    elsif p_slug is not null then
        return query
            select m.org_id, case when m.custom_only then 'viewer' else m.role end, m.department,
                case when m.custom_only then ',tenancy.organization.read,' else v.permissions end || coalesce(c.permissions, ''),
                o.require_second_factor, o.suspended_at is not null, m.spaces
            from tenancy.organizations o
            join tenancy.memberships m on m.org_id = o.id and m.user_id = p_user
            join tenancy.role_variants v on v.role = m.role and v.disabled_apps = o.disabled_apps
            left join tenancy.roles c on c.org_id = m.org_id and c.id = m.custom_role
            where o.slug = p_slug and m.suspended_at is null
                and (m.barred_until is null or m.barred_until <= now())
                and (o.delete_after is null or o.delete_after > now());
    else
        -- None named: the oldest, and a suspended one only when somebody asks for it.
        return query
            select m.org_id, case when m.custom_only then 'viewer' else m.role end, m.department,
                case when m.custom_only then ',tenancy.organization.read,' else v.permissions end || coalesce(c.permissions, ''),
                o.require_second_factor, false, m.spaces
            from tenancy.memberships m
            join tenancy.organizations o on o.id = m.org_id
            join tenancy.role_variants v on v.role = m.role and v.disabled_apps = o.disabled_apps
            left join tenancy.roles c on c.org_id = m.org_id and c.id = m.custom_role
            where m.user_id = p_user and m.suspended_at is null and o.suspended_at is null
                and (m.barred_until is null or m.barred_until <= now())
                and (o.delete_after is null or o.delete_after > now())
            order by m.created_at, m.org_id
            limit 1;
    end if;
end $$;

-- The organisation of a name in addresses, one it has now or one it had.
create function tenancy.called(p_slug text) returns uuid
language sql stable security definer set search_path = '' as $$
    select coalesce(
        (select o.id from tenancy.organizations o where o.slug = p_slug),
        (select f.org_id from tenancy.former_slugs f where f.slug = p_slug))
$$;

-- As before, with the spaces, by former names, and paused: a key of an organisation whose plan has no keys any more, or whose maker is kept
-- out for now, is good for nothing until that changes.
drop function tenancy.resolve_key(uuid, uuid, uuid, text);
create function tenancy.resolve_key(p_key uuid, p_user uuid, p_org uuid, p_slug text)
returns table (
    org_id uuid, member_role text, department text, permissions text, second_factor boolean, suspended boolean, spaces text
) language plpgsql stable security definer set search_path = '' as $$
declare
    key record;
    wanted uuid := p_org;
begin
    select k.org_id, k.user_id, k.scopes, k.permissions, k.kind, k.created_by into key
    from tenancy.api_keys k
    where k.id = p_key and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
    if not found or key.user_id is distinct from p_user then
        perform kernel.raise(401, 'auth.key_invalid', 'The key is not good.', 'It was revoked, or it has expired.',
            'Make a new one, and use that.');
    end if;
    if p_slug is not null then
        wanted := tenancy.called(p_slug);
        if wanted is null then
            return;
        end if;
    end if;
    if key.org_id is not null then
        if wanted <> key.org_id then
            return;
        end if;
        wanted := key.org_id;
    end if;
    if key.user_id is null then
        if not (select tenancy.has_feature(o.plan, o.settings, 'api_keys') from tenancy.organizations o where o.id = wanted) then
            perform kernel.raise(403, 'access.key_paused', 'The key is paused.', 'The organisation''s plan includes no keys.',
                'It is good again when the plan does.');
        end if;
        if key.kind = 'secret' and exists (
            select from tenancy.memberships m where m.org_id = wanted and m.user_id = key.created_by
            and (m.suspended_at is not null or m.barred_until > now())) then
            perform kernel.raise(403, 'access.key_paused', 'The key is paused.', 'Whoever made it is suspended.',
                'Make a new one, and use that.');
        end if;
        return query
            select o.id, null::text, null::text, key.permissions, false, o.suspended_at is not null, ''
            from tenancy.organizations o
            where o.id = wanted and (o.delete_after is null or o.delete_after > now());
    elsif key.scopes is null then
        return query select * from tenancy.resolve(p_user, wanted, null);
    else
        return query
            select r.org_id, r.member_role, r.department, ',' || coalesce((
                    select string_agg(distinct name, ',')
                    from unnest(string_to_array(r.permissions, ',')) name where name = any (key.scopes)), '') || ',',
                r.second_factor, r.suspended, r.spaces
            from tenancy.resolve(p_user, wanted, null) r;
    end if;
end $$;

-- An operator of the installation who is in an organisation to help, by the name of the organisation only, and at the console
-- themselves: no program that holds a token of theirs comes along.
drop function tenancy.resolve_support(uuid, uuid, text);
create function tenancy.resolve_support(p_user uuid, p_org uuid, p_slug text, p_claims text)
returns table (org_id uuid, permissions text, second_factor boolean)
language plpgsql stable security definer set search_path = '' as $$
begin
    if p_claims::jsonb ? 'client_id' then
        return;
    end if;
    return query
        select o.id, v.permissions, o.require_second_factor or s.aal = 'aal2'
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

-- Says why a request is not let in, if it is not.
create function tenancy.refuse(known boolean, suspended boolean, second_factor boolean, p_claims text)
returns void language plpgsql as $$
begin
    if not known then
        perform kernel.raise(404, 'tenancy.org_not_found', 'There is no such organisation.', null,
            'Name an organisation you belong to in the header x-org-id.');
    end if;
    if suspended then
        perform kernel.raise(403, 'tenancy.organization_suspended', 'This organisation is suspended.', null,
            'Ask those who run this installation.');
    end if;
    if second_factor and (p_claims::jsonb ->> 'aal') is distinct from 'aal2' then
        perform kernel.raise(403, 'tenancy.second_factor_required', 'This organisation asks for a second factor.', null,
            'Add a second factor to your account, or show it, and try again.');
    end if;
end $$;

-- As before; who is not found by the name of an organisation is looked for by its former ones.
create or replace function kernel.begin_request(
    p_role text, p_user uuid, p_claims text, p_org uuid, p_slug text, p_method text, p_path text, p_read_only boolean,
    p_search_path text default null, p_headers text default null, p_key uuid default null
) returns table (org_id uuid, member_role text, permissions text) language plpgsql as $$
declare
    department text;
    second_factor boolean;
    suspended boolean;
    spaces text;
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
            select s.org_id, s.permissions, s.second_factor into org_id, permissions, second_factor
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
        case when p_read_only then kernel.set_context('transaction_read_only', 'on') end,
        kernel.set_context('role', p_role);
    return next;
end $$;

-- As before; the server is in all spaces.
create or replace function kernel.begin_job(p_org uuid, p_user uuid)
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
        kernel.set_context('tenancy.spaces', '*'),
        kernel.set_context('request.jwt.claims', '{"role":"service_role"}'),
        kernel.set_context('request.jwt.claim.sub', coalesce(p_user::text, '')),
        kernel.set_context('request.jwt.claim.role', 'service_role'),
        kernel.set_context('role', 'service_role');
    return next;
end $$;

-- What a member has been given by their roles, those permissions included that belong to apps which are off; null if they are none.
create function tenancy.granted(p_org uuid, p_user uuid) returns text
language sql stable security definer set search_path = '' as $$
    select case when m.custom_only then ',tenancy.organization.read,' else r.permissions end || coalesce(c.granted, '')
    from tenancy.memberships m
    join tenancy.role_permissions r on r.role = m.role
    left join tenancy.roles c on c.org_id = m.org_id and c.id = m.custom_role
    where m.org_id = p_org and m.user_id = p_user
$$;

-- What a caller may do in an organisation, asked once more by the kernel inside its own transaction, after it has locked what must not
-- change. `granted` is what they have been given, those permissions included that belong to apps which are off.
create function tenancy.resolve_again(p_user uuid, p_claims text, p_org uuid, p_key uuid)
returns table (member_role text, permissions text, granted text)
language plpgsql stable security definer set search_path = '' as $$
declare
    found_org uuid;
    second_factor boolean;
    suspended boolean;
    scopes text[];
begin
    if p_key is not null then
        select m.org_id, m.member_role, m.permissions, m.second_factor, m.suspended
        into found_org, member_role, permissions, second_factor, suspended
        from tenancy.resolve_key(p_key, p_user, p_org, null) m;
        select k.scopes into scopes from tenancy.api_keys k where k.id = p_key;
    else
        select m.org_id, m.member_role, m.permissions, m.second_factor, m.suspended
        into found_org, member_role, permissions, second_factor, suspended
        from tenancy.resolve(p_user, p_org, null) m;
        if found_org is null then
            select s.org_id, 'support', s.permissions, s.second_factor
            into found_org, member_role, permissions, second_factor
            from tenancy.resolve_support(p_user, p_org, null, p_claims) s;
        end if;
    end if;
    perform tenancy.refuse(found_org is not null, suspended, second_factor, p_claims);
    granted := coalesce(tenancy.granted(p_org, p_user), permissions);
    if scopes is not null then
        granted := ',' || coalesce((
            select string_agg(distinct name, ',')
            from unnest(string_to_array(granted, ',')) name where name = any (scopes)), '') || ',';
    end if;
    return next;
end $$;

grant execute on function
    tenancy.resolve(uuid, uuid, text), tenancy.resolve_key(uuid, uuid, uuid, text),
    tenancy.resolve_support(uuid, uuid, text, text), tenancy.called(text), tenancy.refuse(boolean, boolean, boolean, text)
    to tenon_authenticator;
grant execute on function
    tenancy.resolve(uuid, uuid, text), tenancy.resolve_again(uuid, text, uuid, uuid), tenancy.granted(uuid, uuid),
    tenancy.has_feature(text, jsonb, text)
    to tenon_system;

-- The rows that the kernel keeps of the organisation in which the server works, without what is secret (hashes of keys and links) and
-- without its members' personal tokens: for an export that sees everything at one moment, in the one transaction it reads in.
create function tenancy.kernel_rows(p_table text) returns setof text
language plpgsql stable security definer set search_path = '' as $$
declare
    org constant uuid := tenancy.org_id();
    relation regclass;
    secret text[];
begin
    if not tenancy.can('tenancy.organization.export') then
        perform kernel.raise(403, 'tenancy.permission_denied', 'You may not do this in this organisation.',
            'It needs the permission tenancy.organization.export.', null);
    end if;
    if p_table = 'organization' then
        return query select (pg_catalog.to_jsonb(o) - 'logo')::text from tenancy.organizations o where o.id = org;
        return;
    end if;
    if p_table = 'logo' then
        return query select pg_catalog.encode(o.logo, 'base64') from tenancy.organizations o where o.id = org and o.logo is not null;
        return;
    end if;
    if p_table = 'members' then
        return query
            select pg_catalog.to_jsonb(m)::text from (
                select m.user_id, u.email, u.raw_user_meta_data ->> 'name' as name, m.role, c.name as custom_role, m.custom_only,
                    m.department, m.created_at, m.suspended_at
                from tenancy.memberships m join auth.users u on u.id = m.user_id
                left join tenancy.roles c on c.org_id = m.org_id and c.id = m.custom_role
                where m.org_id = org order by m.created_at, m.user_id) m;
        return;
    end if;
    select t.relation, array(
            select b.attname::text from pg_catalog.pg_attribute b
            where b.attrelid = t.relation and not b.attisdropped and (b.atttypid = 'bytea'::regtype or b.attname like '%\_hash'))
    into relation, secret
    from kernel.tables t where t.relation::text = p_table and t.relation::text in (select tenancy.kernel_tables());
    if relation is null then
        raise exception 'no table of the kernel about organisations: %', p_table;
    end if;
    return query execute pg_catalog.format(
        'select (pg_catalog.to_jsonb(r) - $2)::text from %s r where r.org_id = $1%s', relation,
        case p_table when 'tenancy.api_keys' then ' and r.kind <> ''personal''' else '' end) using org, secret;
end $$;

-- Which tables those are.
create function tenancy.kernel_tables() returns setof text
language sql stable security definer set search_path = '' as $$
    select t.relation::text
    from kernel.tables t join pg_catalog.pg_class c on c.oid = t.relation and c.relkind in ('r', 'p') and not c.relispartition
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname in ('tenancy', 'events')
    join pg_catalog.pg_attribute a on a.attrelid = t.relation and a.attname = 'org_id' and not a.attisdropped
    where t.kind in ('shared', 'system') and t.relation <> 'tenancy.invitation_mails'::regclass
    order by 1
$$;
grant execute on function tenancy.kernel_rows(text), tenancy.kernel_tables() to service_role;
