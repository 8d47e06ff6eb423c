-- The columns that policies, triggers and seeds written for Supabase name. Those whose meaning Tenon keeps elsewhere (tokens are
-- stored as hashes, in tables of their own) stay empty.
alter table auth.users
    add column instance_id uuid,
    add column aud text not null default 'authenticated',
    add column role text not null default 'authenticated',
    add column invited_at timestamptz,
    add column confirmation_token text not null default '',
    add column confirmation_sent_at timestamptz,
    add column recovery_token text not null default '',
    add column recovery_sent_at timestamptz,
    add column email_change_token_new text not null default '',
    add column email_change_token_current text not null default '',
    add column email_change text not null default '',
    add column email_change_confirm_status smallint not null default 0,
    add column email_change_sent_at timestamptz,
    add column is_super_admin boolean not null default false,
    add column phone text unique,
    add column phone_confirmed_at timestamptz,
    add column phone_change text not null default '',
    add column phone_change_token text not null default '',
    add column phone_change_sent_at timestamptz,
    add column confirmed_at timestamptz generated always as (least(email_confirmed_at, phone_confirmed_at)) stored,
    add column banned_until timestamptz,
    add column reauthentication_token text not null default '',
    add column reauthentication_sent_at timestamptz,
    add column is_sso_user boolean not null default false,
    add column deleted_at timestamptz;
comment on column auth.users.phone is 'E.164 without the plus sign.';
comment on column auth.users.is_super_admin is 'Operates the installation.';
comment on column auth.users.deleted_at is 'Erased: what could name the person is gone, the row stays for what refers to it.';

alter table auth.identities
    alter column id set default gen_random_uuid(),
    alter column created_at set default now(),
    alter column updated_at set default now(),
    add column email text generated always as (lower(identity_data ->> 'email')) stored;

alter table auth.sessions
    add column updated_at timestamptz not null default now(),
    add column factor_id uuid,
    add column not_after timestamptz,
    add column ip inet,
    add column tag text;
comment on column auth.sessions.not_after is 'When the session ends whatever is done in it.';

create table auth.audit_log_entries (
    id uuid primary key,
    instance_id uuid,
    payload jsonb not null,
    ip_address text not null default '',
    created_at timestamptz not null
);
create index audit_log_entries_created on auth.audit_log_entries (created_at);
comment on column auth.audit_log_entries.payload is 'actor_id, action, traits; never a secret.';
select kernel.system_table('auth.audit_log_entries', 'what was done about sign-in, across organisations');
