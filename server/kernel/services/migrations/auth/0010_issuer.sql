-- Tenon as provider: other programs sign people in here (OAuth 2.1, OpenID Connect).
create table auth.oauth_clients (
    id uuid primary key,
    client_secret_hash bytea,
    registration_type text not null check (registration_type in ('dynamic', 'manual')),
    client_type text not null check (client_type in ('public', 'confidential')),
    token_endpoint_auth_method text not null
        check (token_endpoint_auth_method in ('none', 'client_secret_basic', 'client_secret_post')),
    redirect_uris text[] not null check (cardinality(redirect_uris) > 0),
    grant_types text[] not null,
    client_name text not null,
    client_uri text,
    logo_uri text,
    scope text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check ((client_type = 'public') = (token_endpoint_auth_method = 'none')),
    check ((client_type = 'public') = (client_secret_hash is null))
);
create index oauth_clients_created on auth.oauth_clients (created_at);
comment on table auth.oauth_clients is 'Programs that may ask people to sign in here.';
comment on column auth.oauth_clients.client_secret_hash is 'SHA-256 of 256 random bits; the secret itself is never stored.';
comment on column auth.oauth_clients.registration_type is 'manual: by the operator; dynamic: by the program itself (RFC 7591).';
comment on column auth.oauth_clients.scope is 'The most it may ask for, separated by spaces; null: whatever there is.';
select kernel.system_table('auth.oauth_clients', 'programs known to the installation, across organisations');

-- A program's session is one of the person's, with less to it.
alter table auth.sessions
    add column oauth_client_id uuid references auth.oauth_clients (id) on delete cascade,
    add column scopes text,
    add check ((oauth_client_id is null) = (scopes is null));
create index sessions_oauth_client on auth.sessions (oauth_client_id) where oauth_client_id is not null;
comment on column auth.sessions.oauth_client_id is 'The program that acts in it for the person.';
comment on column auth.sessions.scopes is 'What the person granted it, separated by spaces.';

create table auth.oauth_authorizations (
    id uuid primary key,
    authorization_id text not null unique,
    client_id uuid not null references auth.oauth_clients (id) on delete cascade,
    user_id uuid references auth.users (id) on delete cascade,
    redirect_uri text not null,
    scope text not null,
    state text,
    resource text,
    nonce text,
    code_challenge text not null,
    code_challenge_method text not null check (code_challenge_method = 's256'),
    ask_again boolean not null,
    authenticated_after timestamptz,
    status text not null default 'pending' check (status in ('pending', 'approved', 'denied', 'expired')),
    authorization_code_hash bytea unique,
    aal text,
    amr jsonb,
    factor_id uuid,
    session_id uuid references auth.sessions (id) on delete set null,
    created_at timestamptz not null,
    approved_at timestamptz,
    used_at timestamptz,
    expires_at timestamptz not null,
    check ((status = 'approved') = (authorization_code_hash is not null))
);
create index oauth_authorizations_client on auth.oauth_authorizations (client_id);
create index oauth_authorizations_user on auth.oauth_authorizations (user_id);
create index oauth_authorizations_session on auth.oauth_authorizations (session_id);
create index oauth_authorizations_expires on auth.oauth_authorizations (expires_at);
comment on table auth.oauth_authorizations is 'Requests of programs on their way from the question to the exchanged code.';
comment on column auth.oauth_authorizations.user_id is 'Whoever looked at the request first; nobody else can answer it.';
comment on column auth.oauth_authorizations.ask_again is 'The question is put even if it was answered before.';
comment on column auth.oauth_authorizations.authenticated_after is 'The person must have signed in since (prompt=login, max_age).';
comment on column auth.oauth_authorizations.authorization_code_hash is 'SHA-256; the code itself is never stored.';
comment on column auth.oauth_authorizations.session_id is 'What the code was exchanged for: ended if it is presented again.';
select kernel.system_table('auth.oauth_authorizations', 'sign-ins to programs on their way, across organisations');

create table auth.oauth_consents (
    id uuid primary key,
    user_id uuid not null references auth.users (id) on delete cascade,
    client_id uuid not null references auth.oauth_clients (id) on delete cascade,
    scopes text not null,
    granted_at timestamptz not null,
    revoked_at timestamptz,
    unique (user_id, client_id)
);
create index oauth_consents_client on auth.oauth_consents (client_id);
comment on table auth.oauth_consents is 'What people let programs do; asked once until it is taken back.';
select kernel.system_table('auth.oauth_consents', 'grants of people, across organisations');
