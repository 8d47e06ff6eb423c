-- What an organisation settles for itself, and whether a member is let in for now.
alter table tenancy.organizations
    add column logo bytea,
    add column logo_type text,
    add column theme_color text check (theme_color ~ '^#[0-9a-f]{6}$'),
    add column time_zone text not null default 'UTC',
    add column language text not null default 'en',
    add column plan text not null default 'free',
    add column settings jsonb not null default '{}',
    add column disabled_apps text[] not null default '{}',
    add column require_second_factor boolean not null default false,
    add column suspended_at timestamptz,
    add column delete_after timestamptz;
comment on column tenancy.organizations.suspended_at is 'Set by the operator of the installation: nobody is let in.';
comment on column tenancy.organizations.delete_after is 'When it will be deleted, unless its owner changes their mind before.';

alter table tenancy.memberships
    add column suspended_at timestamptz;
comment on column tenancy.memberships.suspended_at is 'Since when the member is not let in.';
