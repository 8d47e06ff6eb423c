-- Access: what a request may do, resolved at its start. The usual case (a member of an organisation) is one look-up of three rows
-- by their keys; what is rare (a key, a second factor asked for, an operator who helps) is looked at only where it occurs.

-- The permissions of the built-in roles without those of the apps that organisations have switched off. Few combinations occur,
-- so they are kept ready: a request joins by equality and filters nothing.
create table tenancy.role_variants (
    role text not null references tenancy.role_permissions (role) on delete cascade,
    disabled_apps text[] not null,
    permissions text not null,
    primary key (role, disabled_apps)
);
comment on table tenancy.role_variants is 'One row for each built-in role and each list of disabled apps that some organisation has; kept by triggers.';
select kernel.shared_table('tenancy.role_variants', 'the same for all organisations');

-- Permissions of some apps taken off a list of the form ,a.b.c,d.e.f,
create function tenancy.without_apps(permissions text, disabled text[]) returns text
language sql immutable parallel safe set search_path = '' as $$
    select case when cardinality(disabled) = 0 then permissions else
        ',' || coalesce((
            select string_agg(name, ',' order by place)
            from unnest(string_to_array(trim(both ',' from permissions), ',')) with ordinality as list(name, place)
            where name <> '' and split_part(name, '.', 1) <> all (disabled)), '') || ',' end
$$;
grant execute on function tenancy.without_apps(text, text[]) to tenon_system;

create function tenancy.keep_role_variants() returns trigger language plpgsql as $$
begin
    insert into tenancy.role_variants as v (role, disabled_apps, permissions)
    select new.role, d.disabled_apps, tenancy.without_apps(new.permissions, d.disabled_apps)
    from (select distinct disabled_apps from tenancy.organizations union select '{}'::text[]) d
    on conflict (role, disabled_apps) do update set permissions = excluded.permissions;
    return null;
end $$;
create trigger keep_role_variants after insert or update of permissions on tenancy.role_permissions
    for each row execute function tenancy.keep_role_variants();

-- Custom roles of an organisation. Read before the organisation of a request is known, so it is no tenant table.
create table tenancy.roles (
    org_id uuid not null references tenancy.organizations (id) on delete cascade,
    id uuid not null,
    key text not null check (key ~ '^[a-z][a-z0-9_-]{0,39}$'),
    name text not null check (length(trim(name)) between 1 and 80),
    description text not null default '' check (length(description) <= 500),
    includes text[] not null check (cardinality(includes) between 1 and 200),
    excludes text[] not null default '{}' check (cardinality(excludes) <= 200),
    ceiling text not null references tenancy.role_permissions (role),
    granted text not null,
    permissions text not null,
    created_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (org_id, id),
    unique (org_id, key)
);
comment on column tenancy.roles.includes is 'Names of permissions and patterns such as purchasing.* or *.orders.read';
comment on column tenancy.roles.ceiling is
    'Built-in role of whoever wrote it last: permissions that come with later versions are taken up as far as that role has them.';
comment on column tenancy.roles.granted is 'What the patterns grant, as ,a.b.c,d.e.f,';
comment on column tenancy.roles.permissions is 'The same without those of apps that the organisation has switched off';
select kernel.shared_table('tenancy.roles', 'read before the organisation of a request is known');

alter table tenancy.memberships
    add column custom_role uuid,
    add column custom_only boolean not null default false,
    add column barred_until timestamptz,
    add foreign key (org_id, custom_role) references tenancy.roles (org_id, id);
create index memberships_custom_role on tenancy.memberships (org_id, custom_role) where custom_role is not null;
comment on column tenancy.memberships.custom_role is 'A custom role beside the built-in one';
comment on column tenancy.memberships.custom_only is 'The custom role counts alone; the built-in one only says whom the member may not touch';
comment on column tenancy.memberships.barred_until is 'auth.users.banned_until (or for good, if erased), copied by triggers so that a ban counts at once';

-- A built-in role that somebody gives counts.
create function tenancy.keep_membership() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        select case when u.deleted_at is not null then 'infinity' else u.banned_until end
        into new.barred_until from auth.users u where u.id = new.user_id;
    elsif new.role <> old.role and new.custom_only and old.custom_only then
        new.custom_only := false;
    end if;
    return new;
end $$;
create trigger keep_membership before insert or update of role on tenancy.memberships
    for each row execute function tenancy.keep_membership();

create function tenancy.keep_bar() returns trigger language plpgsql as $$
begin
    update tenancy.memberships m
    set barred_until = case when new.deleted_at is not null then 'infinity' else new.banned_until end
    where m.user_id = new.id;
    return null;
end $$;
create trigger keep_bar after update of banned_until, deleted_at on auth.users
    for each row when (new.banned_until is distinct from old.banned_until or new.deleted_at is distinct from old.deleted_at)
    execute function tenancy.keep_bar();

-- Keys of organisations and tokens of people.
create table tenancy.api_keys (
    id uuid primary key,
    kind text not null check (kind in ('publishable', 'secret', 'personal')),
    org_id uuid references tenancy.organizations (id) on delete cascade,
    user_id uuid references auth.users (id) on delete cascade,
    name text not null check (length(trim(name)) between 1 and 80),
    prefix text not null,
    secret_hash bytea not null unique,
    scopes text[],
    permissions text,
    aal text not null default 'aal1',
    created_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    revoked_by uuid references auth.users (id) on delete set null,
    last_used_at timestamptz,
    check ((kind = 'personal') = (user_id is not null)),
    check (kind = 'personal' or (org_id is not null and scopes is not null and permissions is not null))
);
create index api_keys_org on tenancy.api_keys (org_id) where org_id is not null;
create index api_keys_user on tenancy.api_keys (user_id) where user_id is not null;
comment on column tenancy.api_keys.secret_hash is 'SHA-256; the key itself is shown once';
comment on column tenancy.api_keys.org_id is 'Of a personal token: the only organisation it is good in';
comment on column tenancy.api_keys.scopes is 'Names of permissions; null for a personal token that may do what its owner may';
comment on column tenancy.api_keys.permissions is 'Of an organisation''s key: the scopes as ,a.b.c,d.e.f, without those of disabled apps';
comment on column tenancy.api_keys.aal is 'How many factors were shown when the token was made';
comment on column tenancy.api_keys.last_used_at is 'To the minute';
select kernel.shared_table('tenancy.api_keys', 'read before the organisation of a request is known');

-- Times at which an operator of the installation was in an organisation to help.
create table tenancy.support_access (
    org_id uuid not null references tenancy.organizations (id) on delete cascade,
    id uuid not null,
    operator uuid not null references auth.users (id) on delete cascade,
    reason text not null check (length(trim(reason)) between 1 and 500),
    aal text not null,
    started_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > started_at),
    ended_at timestamptz,
    ended_by uuid references auth.users (id) on delete set null,
    primary key (org_id, id)
);
create index support_access_operator on tenancy.support_access (operator, org_id) where ended_at is null;
comment on column tenancy.support_access.aal is 'How many factors the operator had shown; a session with fewer does not use it';
select kernel.shared_table('tenancy.support_access', 'read before the organisation of a request is known');

-- Named groups of people inside an organisation, by name and by department.
create table tenancy.spaces (
    org_id uuid not null,
    id uuid not null,
    name text not null check (length(trim(name)) between 1 and 80),
    description text not null default '' check (length(description) <= 500),
    departments text[] not null default '{}',
    archived_at timestamptz,
    created_by uuid,
    created_at timestamptz not null default now(),
    primary key (org_id, id)
);
create unique index spaces_name on tenancy.spaces (org_id, lower(name)) where archived_at is null;
comment on column tenancy.spaces.departments is 'Names of departments whose members are all in it';
select kernel.tenant_table('tenancy.spaces', 'access.spaces.read', 'access.spaces.manage', '{}');

create table tenancy.space_members (
    org_id uuid not null,
    space_id uuid not null,
    user_id uuid not null,
    primary key (org_id, space_id, user_id),
    foreign key (org_id, space_id) references tenancy.spaces (org_id, id) on delete cascade
);
create index space_members_user on tenancy.space_members (org_id, user_id);
select kernel.tenant_table('tenancy.space_members', 'access.spaces.read', 'access.spaces.manage', '{}');

-- Whatever an organisation switches off is taken from its roles and keys at once, and back when it is switched on.
create function tenancy.keep_disabled_apps() returns trigger language plpgsql as $$
begin
    -- In one order, and without what every organisation needs to be run at all.
    new.disabled_apps := array(
        select distinct app from unnest(new.disabled_apps) app where app not in ('tenancy', 'access') order by app);
    return new;
end $$;
create trigger keep_disabled_apps before insert or update of disabled_apps on tenancy.organizations
    for each row execute function tenancy.keep_disabled_apps();

create function tenancy.apply_disabled_apps() returns trigger language plpgsql as $$
begin
    insert into tenancy.role_variants (role, disabled_apps, permissions)
    select r.role, new.disabled_apps, tenancy.without_apps(r.permissions, new.disabled_apps)
    from tenancy.role_permissions r
    on conflict do nothing;
    update tenancy.roles r set permissions = tenancy.without_apps(r.granted, new.disabled_apps) where r.org_id = new.id;
    update tenancy.api_keys k
    set permissions = tenancy.without_apps(',' || array_to_string(k.scopes, ',') || ',', new.disabled_apps)
    where k.org_id = new.id and k.kind <> 'personal';
    return null;
end $$;
create trigger apply_disabled_apps after insert or update of disabled_apps on tenancy.organizations
    for each row execute function tenancy.apply_disabled_apps();

-- What there is already.
update tenancy.organizations set disabled_apps = disabled_apps;
insert into tenancy.role_variants (role, disabled_apps, permissions)
select role, '{}', permissions from tenancy.role_permissions on conflict do nothing;

-- Looks a membership up, with the owner's rights, because the caller has none yet. Whoever is suspended or banned, and an
-- organisation whose time is over, are not there.
drop function tenancy.resolve(uuid, uuid, text);
create function tenancy.resolve(p_user uuid, p_org uuid, p_slug text)
returns table (org_id uuid, member_role text, department text, permissions text, second_factor boolean, suspended boolean)
language plpgsql stable security definer set search_path = '' as $$
begin
    if p_org is not null then
        return query
            select m.org_id, case when m.custom_only then 'viewer' else m.role end, m.department,
                case when m.custom_only then ',tenancy.organization.read,' else v.permissions end || coalesce(c.permissions, ''),
                o.require_second_factor, o.suspended_at is not null
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
                o.require_second_factor, o.suspended_at is not null
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
                o.require_second_factor, false
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

-- The same for a key of an organisation or a token of a person, whose row is looked at each time: what was revoked is good for
-- nothing from the next statement on, whichever server it reaches.
create function tenancy.resolve_key(p_key uuid, p_user uuid, p_org uuid, p_slug text)
returns table (org_id uuid, member_role text, department text, permissions text, second_factor boolean, suspended boolean)
language plpgsql stable security definer set search_path = '' as $$
declare
    key record;
    wanted uuid := p_org;
begin
    select k.org_id, k.user_id, k.scopes, k.permissions into key
    from tenancy.api_keys k
    where k.id = p_key and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
    if not found or key.user_id is distinct from p_user then
        perform kernel.raise(401, 'auth.key_invalid', 'The key is not good.', 'It was revoked, or it has expired.',
            'Make a new one, and use that.');
    end if;
    if p_slug is not null then
        select o.id into wanted from tenancy.organizations o where o.slug = p_slug;
        if not found then
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
        return query
            select o.id, null::text, null::text, key.permissions, false, o.suspended_at is not null
            from tenancy.organizations o
            where o.id = wanted and (o.delete_after is null or o.delete_after > now());
    elsif key.scopes is null then
        return query select * from tenancy.resolve(p_user, wanted, null);
    else
        return query
            select r.org_id, r.member_role, r.department, ',' || coalesce((
                    select string_agg(distinct name, ',')
                    from unnest(string_to_array(r.permissions, ',')) name where name = any (key.scopes)), '') || ',',
                r.second_factor, r.suspended
            from tenancy.resolve(p_user, wanted, null) r;
    end if;
end $$;

-- An operator of the installation who is in an organisation to help, by the name of the organisation only.
create function tenancy.resolve_support(p_user uuid, p_org uuid, p_slug text)
returns table (org_id uuid, permissions text, aal text)
language plpgsql stable security definer set search_path = '' as $$
begin
    return query
        select o.id, v.permissions, s.aal
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

-- The start of every request. It resolves the tenancy once and sets everything a policy may read, for this transaction
-- only; the role comes last, because after it the login's own rights are gone.
drop function kernel.begin_request(text, uuid, text, uuid, text, text, text, boolean, text, text);
create function kernel.begin_request(
    p_role text, p_user uuid, p_claims text, p_org uuid, p_slug text, p_method text, p_path text, p_read_only boolean,
    p_search_path text default null, p_headers text default null, p_key uuid default null
) returns table (org_id uuid, member_role text, permissions text) language plpgsql as $$
declare
    department text;
    second_factor boolean;
    suspended boolean;
    shown_at_entry text;
begin
    if p_role not in ('anon', 'authenticated', 'service_role') then
        raise exception 'no such request role: %', p_role;
    end if;
    if p_user is not null and p_key is null then
        select m.org_id, m.member_role, m.department, m.permissions, m.second_factor, m.suspended
        into org_id, member_role, department, permissions, second_factor, suspended
        from tenancy.resolve(p_user, p_org, p_slug) m;
        if org_id is null and (p_org is not null or p_slug is not null) then
            select s.org_id, s.permissions, s.aal into org_id, permissions, shown_at_entry
            from tenancy.resolve_support(p_user, p_org, p_slug) s;
            if org_id is not null then
                member_role := 'support';
                second_factor := shown_at_entry = 'aal2';
            end if;
        end if;
    elsif p_key is not null then
        select m.org_id, m.member_role, m.department, m.permissions, m.second_factor, m.suspended
        into org_id, member_role, department, permissions, second_factor, suspended
        from tenancy.resolve_key(p_key, p_user, p_org, p_slug) m;
    end if;
    -- Server code may act for nobody: then it sees no organisation. A visitor who names one is not told about it.
    if org_id is null and (p_org is not null or p_slug is not null)
        and (p_user is not null or p_key is not null or p_role = 'service_role') then
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
    perform
        kernel.set_context('tenancy.org_id', coalesce(org_id::text, '')),
        kernel.set_context('tenancy.role', coalesce(member_role, '')),
        kernel.set_context('tenancy.department', coalesce(department, '')),
        kernel.set_context('tenancy.permissions', coalesce(permissions, '')),
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

grant execute on function
    tenancy.resolve(uuid, uuid, text), tenancy.resolve_key(uuid, uuid, uuid, text), tenancy.resolve_support(uuid, uuid, text),
    kernel.begin_request(text, uuid, text, uuid, text, text, text, boolean, text, text, uuid)
    to tenon_authenticator;
