-- People and their sessions. No request reaches these tables; the identity service does, as the kernel.
create table auth.users (
    id uuid primary key,
    email text not null,
    encrypted_password text,
    raw_app_meta_data jsonb not null default '{}',
    raw_user_meta_data jsonb not null default '{}',
    email_confirmed_at timestamptz,
    last_sign_in_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check (email = lower(email))
);
create unique index users_email on auth.users (email);
select kernel.system_table('auth.users', 'people exist across organisations; reached by the identity service only');

create table auth.sessions (
    id uuid primary key,
    user_id uuid not null references auth.users (id) on delete cascade,
    user_agent text,
    created_at timestamptz not null default now(),
    refreshed_at timestamptz not null default now()
);
create index sessions_user on auth.sessions (user_id);
select kernel.system_table('auth.sessions', 'sign-ins of people, across organisations');

create table auth.refresh_tokens (
    token_hash bytea primary key,
    session_id uuid not null references auth.sessions (id) on delete cascade,
    created_at timestamptz not null default now(),
    used_at timestamptz
);
create index refresh_tokens_session on auth.refresh_tokens (session_id);
comment on column auth.refresh_tokens.token_hash is 'SHA-256; the token itself is never stored';
select kernel.system_table('auth.refresh_tokens', 'belongs to sessions');

create table auth.signing_keys (
    kid text primary key,
    private_pem text not null,
    public_jwk jsonb not null,
    created_at timestamptz not null default now()
);
select kernel.system_table('auth.signing_keys', 'keys of the installation; never leave the identity service');
