-- Second factors, and passkeys as a way in; tables, columns and types by the names that policies written for Supabase use.
create type auth.factor_type as enum ('totp', 'webauthn', 'phone');
create type auth.factor_status as enum ('unverified', 'verified');
create type auth.aal_level as enum ('aal1', 'aal2', 'aal3');

create table auth.mfa_factors (
    id uuid primary key,
    user_id uuid not null references auth.users (id) on delete cascade,
    friendly_name text,
    factor_type auth.factor_type not null,
    status auth.factor_status not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    secret text,
    phone text,
    last_challenged_at timestamptz,
    web_authn_credential jsonb,
    web_authn_aaguid uuid,
    last_webauthn_challenge_data jsonb,
    last_step bigint
);
create index mfa_factors_user on auth.mfa_factors (user_id, created_at);
create unique index mfa_factors_user_friendly_name_unique on auth.mfa_factors (user_id, friendly_name)
    where trim(friendly_name) <> '';
comment on column auth.mfa_factors.secret is
    'Of an authenticator app, in Base32. It cannot be a hash, since codes are computed from it; the secrets service will seal it.';
comment on column auth.mfa_factors.web_authn_credential is 'The public key and counter of a security key, as webauthn-rs writes it.';
comment on column auth.mfa_factors.last_step is
    'The half minute (since 1970) of the newest code that was taken: it and older ones are good no more.';
select kernel.system_table('auth.mfa_factors', 'factors of people, across organisations');

-- "Only with a second factor if you have one" is the commonest policy about factors. Whoever asks sees their own, without secrets.
grant select (id, user_id, friendly_name, factor_type, status, created_at, updated_at, last_challenged_at)
    on auth.mfa_factors to authenticated;
create policy own on auth.mfa_factors for select to authenticated using (user_id = (select auth.uid()));

create table auth.mfa_challenges (
    id uuid primary key,
    factor_id uuid not null references auth.mfa_factors (id) on delete cascade,
    created_at timestamptz not null,
    verified_at timestamptz,
    ip_address inet,
    otp_code text,
    web_authn_session_data jsonb
);
create index mfa_challenges_factor on auth.mfa_challenges (factor_id, created_at);
comment on column auth.mfa_challenges.ip_address is 'Stays empty: people change networks between asking and answering.';
comment on column auth.mfa_challenges.otp_code is 'Of a code sent by text message: SHA-256 of the row''s id and the digits, in hexadecimal.';
select kernel.system_table('auth.mfa_challenges', 'belongs to factors');

-- What a session's person has shown stands in the session; this is the form that policies know.
create view auth.mfa_amr_claims with (security_invoker = true) as
select s.id as session_id,
    to_timestamp((claim ->> 'timestamp')::double precision) as created_at,
    to_timestamp((claim ->> 'timestamp')::double precision) as updated_at,
    claim ->> 'method' as authentication_method,
    md5(s.id::text || (claim ->> 'method'))::uuid as id
from auth.sessions s cross join jsonb_array_elements(s.amr) claim;
grant select on auth.mfa_amr_claims to tenon_system;

-- Wrong codes of one person, whichever of their factors they were for: they outlive a restart and count on all servers.
create table auth.mfa_failures (
    user_id uuid primary key references auth.users (id) on delete cascade,
    failures int not null,
    since timestamptz not null
);
select kernel.system_table('auth.mfa_failures', 'belongs to users');

create table auth.mfa_recovery_codes (
    user_id uuid not null references auth.users (id) on delete cascade,
    code_hash bytea not null,
    created_at timestamptz not null,
    used_at timestamptz,
    primary key (user_id, code_hash)
);
comment on column auth.mfa_recovery_codes.code_hash is
    'SHA-256: a code has 80 random bits, which nobody guesses at any speed, so a slow hash would add nothing.';
select kernel.system_table('auth.mfa_recovery_codes', 'belongs to users');

create table auth.webauthn_credentials (
    id uuid primary key,
    user_id uuid not null references auth.users (id) on delete cascade,
    credential_id bytea not null unique,
    public_key bytea,
    attestation_type text not null default 'none',
    aaguid uuid,
    sign_count bigint not null default 0,
    transports jsonb not null default '[]',
    backup_eligible boolean not null default false,
    backed_up boolean not null default false,
    friendly_name text not null default '',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    last_used_at timestamptz,
    credential jsonb not null
);
create index webauthn_credentials_user on auth.webauthn_credentials (user_id, created_at);
comment on table auth.webauthn_credentials is 'Passkeys: keys that sign in without a password.';
comment on column auth.webauthn_credentials.public_key is 'Stays empty: the key is in credential.';
comment on column auth.webauthn_credentials.credential is 'Public key and counter, as webauthn-rs writes them.';
select kernel.system_table('auth.webauthn_credentials', 'ways in of people, across organisations');

create table auth.webauthn_challenges (
    id uuid primary key,
    user_id uuid references auth.users (id) on delete cascade,
    challenge_type text not null check (challenge_type in ('signup', 'registration', 'authentication')),
    session_data jsonb not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
);
create index webauthn_challenges_expiry on auth.webauthn_challenges (expires_at);
create index webauthn_challenges_user on auth.webauthn_challenges (user_id);
comment on column auth.webauthn_challenges.user_id is 'Nobody''s for a sign-in: the passkey says whose it is.';
select kernel.system_table('auth.webauthn_challenges', 'ceremonies on their way, across organisations');

-- A removed factor takes nothing from a session but the level.
alter table auth.sessions add constraint sessions_factor_id_fkey
    foreign key (factor_id) references auth.mfa_factors (id) on delete set null;
create index sessions_factor on auth.sessions (factor_id) where factor_id is not null;

-- One key is one person's, whatever they call it.
create unique index mfa_factors_key on auth.mfa_factors ((web_authn_credential #>> '{cred,cred_id}'));
