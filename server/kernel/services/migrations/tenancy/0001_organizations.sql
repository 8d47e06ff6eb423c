-- Organisations and who belongs to them: small, shared tables, read once at the start of every request.
create table tenancy.organizations (
    id uuid primary key,
    slug text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    name text not null check (length(trim(name)) between 1 and 200),
    created_at timestamptz not null default now(),
    created_by uuid references auth.users (id) on delete set null
);
select kernel.shared_table('tenancy.organizations', 'the tenants themselves');

create table tenancy.role_permissions (
    role text primary key,
    permissions text not null
);
comment on table tenancy.role_permissions is
    'What each built-in role may do, as ,a.b.c,d.e.f, so that a policy needs one look. Written at start from the '
    'manifests; the row "*" is what the server itself may do in a job.';
select kernel.shared_table('tenancy.role_permissions', 'the same for all organisations');

create table tenancy.memberships (
    org_id uuid not null references tenancy.organizations (id) on delete cascade,
    user_id uuid not null references auth.users (id) on delete cascade,
    role text not null references tenancy.role_permissions (role),
    department text,
    created_at timestamptz not null default now(),
    primary key (org_id, user_id)
);
create index memberships_user on tenancy.memberships (user_id, created_at);
select kernel.shared_table('tenancy.memberships', 'read before the organisation of a request is known');

create table tenancy.invitations (
    org_id uuid not null references tenancy.organizations (id) on delete cascade,
    id uuid not null,
    token_hash bytea not null unique,
    role text not null references tenancy.role_permissions (role),
    email text,
    created_by uuid not null references auth.users (id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    accepted_by uuid references auth.users (id) on delete cascade,
    accepted_at timestamptz,
    primary key (org_id, id)
);
comment on column tenancy.invitations.token_hash is 'SHA-256; the token itself is shown once';
select kernel.shared_table('tenancy.invitations', 'read by people who do not belong to the organisation yet');
