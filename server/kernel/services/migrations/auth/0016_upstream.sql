-- The tables, columns and types of GoTrue that SQL written for Supabase names: policies, triggers, seeds, and dumps of a project's data
-- (which run with session_replication_role = replica, so that triggers here are ALWAYS ones). What Tenon keeps elsewhere stays empty.
create type auth.code_challenge_method as enum ('s256', 'plain');
create type auth.one_time_token_type as enum ('confirmation_token', 'reauthentication_token', 'recovery_token',
    'email_change_token_new', 'email_change_token_current', 'phone_change_token');
create type auth.oauth_registration_type as enum ('dynamic', 'manual');
create type auth.oauth_client_type as enum ('public', 'confidential');
create type auth.oauth_authorization_status as enum ('pending', 'approved', 'denied', 'expired');
create type auth.oauth_response_type as enum ('code');

-- A function that returns what stands in a column has to declare its type. Where something of the installation's own rests on a
-- column already, it stays as that was made for.
do $$
declare
    columns constant text[] := array['email', 'aud', 'role', 'encrypted_password', 'confirmation_token', 'recovery_token',
        'email_change_token_new', 'email_change', 'email_change_token_current', 'phone_change_token', 'reauthentication_token'];
    name text;
begin
    foreach name in array columns loop
        begin
            execute format('alter table auth.users alter column %I type varchar(255)', name);
        exception when feature_not_supported then
            null;
        end;
    end loop;
end $$;

-- Rows of SQL say null where they mean what is usual, and write addresses as people do.
create function auth.complete_user() returns trigger language plpgsql set search_path = '' as $$
begin
    new.aud := coalesce(new.aud, 'authenticated');
    new.role := coalesce(new.role, 'authenticated');
    new.email := nullif(lower(new.email), '');
    new.phone := nullif(new.phone, '');
    new.raw_app_meta_data := coalesce(new.raw_app_meta_data, '{}');
    new.raw_user_meta_data := coalesce(new.raw_user_meta_data, '{}');
    new.is_super_admin := coalesce(new.is_super_admin, false);
    new.is_sso_user := coalesce(new.is_sso_user, false);
    new.is_anonymous := coalesce(new.is_anonymous, false);
    new.confirmation_token := coalesce(new.confirmation_token, '');
    new.recovery_token := coalesce(new.recovery_token, '');
    new.email_change := coalesce(new.email_change, '');
    new.email_change_token_new := coalesce(new.email_change_token_new, '');
    new.email_change_token_current := coalesce(new.email_change_token_current, '');
    new.email_change_confirm_status := coalesce(new.email_change_confirm_status, 0);
    new.phone_change := coalesce(new.phone_change, '');
    new.phone_change_token := coalesce(new.phone_change_token, '');
    new.reauthentication_token := coalesce(new.reauthentication_token, '');
    new.created_at := coalesce(new.created_at, now());
    new.updated_at := coalesce(new.updated_at, now());
    return new;
end $$;
create trigger complete before insert or update on auth.users for each row
    when (new.aud is null or new.role is null or new.email <> lower(new.email) or new.email = '' or new.phone = ''
        or new.raw_app_meta_data is null or new.raw_user_meta_data is null
        or new.is_super_admin is null or new.is_sso_user is null or new.is_anonymous is null
        or new.confirmation_token is null or new.recovery_token is null or new.email_change is null
        or new.email_change_token_new is null or new.email_change_token_current is null
        or new.email_change_confirm_status is null or new.phone_change is null or new.phone_change_token is null
        or new.reauthentication_token is null or new.created_at is null or new.updated_at is null)
    execute function auth.complete_user();
alter table auth.users enable always trigger complete;
create index users_anonymous on auth.users (id) where is_anonymous;
comment on column auth.users.confirmation_token is 'Stays empty, as the other columns of tokens: what is kept of them stands in auth.one_time_tokens.';

alter table auth.identities rename constraint identities_provider_provider_id_key to identities_provider_id_provider_unique;
create function auth.complete_identity() returns trigger language plpgsql set search_path = '' as $$
begin
    new.id := coalesce(new.id, gen_random_uuid());
    new.created_at := coalesce(new.created_at, now());
    new.updated_at := coalesce(new.updated_at, now());
    return new;
end $$;
create trigger complete before insert on auth.identities for each row
    when (new.id is null or new.created_at is null or new.updated_at is null)
    execute function auth.complete_identity();
alter table auth.identities enable always trigger complete;

alter table auth.sessions drop constraint sessions_aal_check, alter column aal drop default;
alter table auth.sessions
    alter column aal type auth.aal_level using aal::auth.aal_level,
    alter column aal set default 'aal1',
    alter column amr set default '[]',
    add column refresh_token_hmac_key text,
    add column refresh_token_counter bigint;
comment on column auth.sessions.refresh_token_hmac_key is 'Stays empty: refresh tokens are random, and kept as hashes.';
comment on column auth.sessions.refresh_token_counter is 'Stays empty, too.';
create function auth.complete_session() returns trigger language plpgsql set search_path = '' as $$
begin
    new.aal := coalesce(new.aal, 'aal1');
    new.amr := coalesce(new.amr, '[]');
    new.created_at := coalesce(new.created_at, now());
    new.updated_at := coalesce(new.updated_at, new.created_at);
    new.refreshed_at := coalesce(new.refreshed_at, new.created_at);
    return new;
end $$;
create trigger complete before insert on auth.sessions for each row
    when (new.aal is null or new.amr is null or new.created_at is null or new.updated_at is null or new.refreshed_at is null)
    execute function auth.complete_session();
alter table auth.sessions enable always trigger complete;

create function auth.keep_amr_claim() returns trigger language plpgsql set search_path = '' as $$
begin
    update auth.sessions set amr = jsonb_build_object('method', new.authentication_method,
        'timestamp', extract(epoch from coalesce(new.created_at, now()))::bigint) || amr
    where id = new.session_id and not amr @> jsonb_build_array(jsonb_build_object('method', new.authentication_method));
    return new;
end $$;
create trigger keep instead of insert on auth.mfa_amr_claims for each row execute function auth.keep_amr_claim();
comment on view auth.mfa_amr_claims is 'What sessions say in amr, a row a method. Rows written here are added there, but for those of a dump.';

-- Whoever revokes tokens by SQL ends what is begun with them; whoever deletes a person''s names them here.
alter table auth.refresh_tokens
    add column id bigint,
    add column instance_id uuid,
    add column token varchar(255),
    add column user_id varchar(255),
    add column revoked boolean not null default false,
    add column updated_at timestamptz not null default now(),
    add column parent varchar(255);
create sequence auth.refresh_tokens_id_seq owned by auth.refresh_tokens.id;
update auth.refresh_tokens t set user_id = s.user_id, revoked = t.used_at is not null, updated_at = coalesce(t.used_at, t.created_at)
from auth.sessions s where s.id = t.session_id;
comment on column auth.refresh_tokens.id is 'Stays empty, and its sequence unused: dumps name both.';
comment on column auth.refresh_tokens.token is 'Stays empty: a token written here is kept as its hash.';
comment on column auth.refresh_tokens.parent is 'Stays empty: a session''s tokens are known by their session.';
comment on column auth.refresh_tokens.revoked is 'Spent; or revoked by SQL, which ends the session when the token comes.';
create function auth.keep_token_hash() returns trigger language plpgsql set search_path = '' as $$
begin
    if new.session_id is null then
        return null; -- of a time before sessions
    end if;
    new.created_at := coalesce(new.created_at, now());
    new.updated_at := coalesce(new.updated_at, new.created_at);
    new.revoked := coalesce(new.revoked, false);
    new.used_at := coalesce(new.used_at, case when new.revoked then new.updated_at end);
    new.token_hash := coalesce(new.token_hash, sha256(convert_to(new.token, 'UTF8')));
    new.token := null;
    new.parent := null;
    return new;
end $$;
create trigger keep_hash before insert on auth.refresh_tokens for each row
    when (new.token is not null or new.parent is not null) execute function auth.keep_token_hash();
alter table auth.refresh_tokens enable always trigger keep_hash;

alter table auth.one_time_tokens
    add column token_type auth.one_time_token_type,
    add column token_hash text,
    add column relates_to text,
    add column updated_at timestamptz not null default now();
comment on column auth.one_time_tokens.token_type is 'The kind in upstream''s words.';
comment on column auth.one_time_tokens.token_hash is 'link_hash in hexadecimal; upstream has what the link carries here.';
comment on column auth.one_time_tokens.relates_to is 'The address.';
create function auth.describe_proof() returns trigger language plpgsql set search_path = '' as $$
begin
    if new.link_hash is null then
        -- A row of upstream's: the link that carries its hash is good for an hour, and no code is.
        new.kind := case new.token_type
            when 'recovery_token' then 'recovery'
            when 'email_change_token_new' then 'email_change'
            when 'email_change_token_current' then 'email_change_current'
            when 'phone_change_token' then 'phone_change'
            when 'reauthentication_token' then 'reauthentication'
            else 'signup' end;
        new.address := new.relates_to;
        new.link_hash := sha256(convert_to(new.token_hash, 'UTF8'));
        new.code_hash := sha256(uuid_send(gen_random_uuid()));
        new.expires_at := new.created_at + interval '1 hour';
    end if;
    new.token_type := case new.kind
        when 'magiclink' then 'recovery_token'
        when 'recovery' then 'recovery_token'
        when 'email_change' then 'email_change_token_new'
        when 'email_change_current' then 'email_change_token_current'
        when 'phone_change' then 'phone_change_token'
        when 'reauthentication' then 'reauthentication_token'
        else 'confirmation_token' end;
    new.token_hash := encode(new.link_hash, 'hex');
    new.relates_to := new.address;
    new.updated_at := coalesce(new.updated_at, now());
    return new;
end $$;
create trigger describe before insert or update of id on auth.one_time_tokens for each row
    execute function auth.describe_proof();
alter table auth.one_time_tokens enable always trigger describe;
update auth.one_time_tokens set id = id;
alter table auth.one_time_tokens
    alter column token_type set not null, alter column token_hash set not null, alter column relates_to set not null;

alter table auth.webauthn_credentials
    alter column id set default gen_random_uuid(),
    alter column created_at set default now(),
    alter column updated_at set default now(),
    alter column credential drop not null;
comment on column auth.webauthn_credentials.credential is
    'Public key and counter, as webauthn-rs writes them; null for a key of a dump, which does not sign in here.';
alter table auth.webauthn_challenges
    alter column id set default gen_random_uuid(),
    alter column created_at set default now();

alter table auth.oauth_clients add column deleted_at timestamptz;
comment on column auth.oauth_clients.deleted_at is 'Stays empty: a program that is removed is gone.';
alter table auth.oauth_authorizations
    add column response_type auth.oauth_response_type not null default 'code',
    add column authorization_code text;
comment on column auth.oauth_authorizations.authorization_code is 'Stays empty: a code is kept as its hash.';

create table auth.flow_state (
    id uuid primary key,
    user_id uuid,
    auth_code text,
    code_challenge_method auth.code_challenge_method,
    code_challenge text,
    provider_type text not null,
    provider_access_token text,
    provider_refresh_token text,
    created_at timestamptz,
    updated_at timestamptz,
    authentication_method text not null,
    auth_code_issued_at timestamptz,
    invite_token text,
    referrer text,
    oauth_client_state_id uuid,
    linking_target_id uuid,
    email_optional boolean not null default false
);
comment on table auth.flow_state is 'Stays empty: sign-ins on their way are in auth.flow_states and auth.provider_flows, as hashes.';
select kernel.system_table('auth.flow_state', 'upstream''s; nothing is kept in it');

create table auth.oauth_client_states (
    id uuid primary key,
    provider_type text not null,
    code_verifier text,
    created_at timestamptz not null
);
comment on table auth.oauth_client_states is 'Stays empty: sign-ins that went off to a provider are in auth.provider_flows.';
select kernel.system_table('auth.oauth_client_states', 'upstream''s; nothing is kept in it');

create table auth.instances (
    id uuid primary key,
    uuid uuid,
    raw_base_config text,
    created_at timestamptz,
    updated_at timestamptz
);
comment on table auth.instances is 'Stays empty, as upstream.';
select kernel.system_table('auth.instances', 'upstream''s; nothing is kept in it');

create table auth.schema_migrations (version varchar(255) primary key);
comment on table auth.schema_migrations is 'Stays empty: what was migrated stands in kernel.migrations.';
select kernel.system_table('auth.schema_migrations', 'upstream''s; nothing is kept in it');

-- SAML is not there yet.
create table auth.sso_providers (
    id uuid primary key,
    resource_id text check (resource_id is null or resource_id <> ''),
    created_at timestamptz,
    updated_at timestamptz,
    disabled boolean
);
create unique index sso_providers_resource_id_idx on auth.sso_providers (lower(resource_id));
comment on table auth.sso_providers is 'Nothing reads it: sign-in by SAML is not there.';
select kernel.system_table('auth.sso_providers', 'upstream''s; nothing is kept in it');

create table auth.sso_domains (
    id uuid primary key,
    sso_provider_id uuid not null references auth.sso_providers (id) on delete cascade,
    domain text not null check (domain <> ''),
    created_at timestamptz,
    updated_at timestamptz
);
create unique index sso_domains_domain_idx on auth.sso_domains (lower(domain));
create index sso_domains_sso_provider_id_idx on auth.sso_domains (sso_provider_id);
comment on table auth.sso_domains is 'Nothing reads it: sign-in by SAML is not there.';
select kernel.system_table('auth.sso_domains', 'upstream''s; nothing is kept in it');

create table auth.saml_providers (
    id uuid primary key,
    sso_provider_id uuid not null references auth.sso_providers (id) on delete cascade,
    entity_id text not null unique check (entity_id <> ''),
    metadata_xml text not null check (metadata_xml <> ''),
    metadata_url text check (metadata_url is null or metadata_url <> ''),
    attribute_mapping jsonb,
    created_at timestamptz,
    updated_at timestamptz,
    name_id_format text
);
create index saml_providers_sso_provider_id_idx on auth.saml_providers (sso_provider_id);
comment on table auth.saml_providers is 'Nothing reads it: sign-in by SAML is not there.';
select kernel.system_table('auth.saml_providers', 'upstream''s; nothing is kept in it');

create table auth.saml_relay_states (
    id uuid primary key,
    sso_provider_id uuid not null references auth.sso_providers (id) on delete cascade,
    request_id text not null check (request_id <> ''),
    for_email text,
    redirect_to text,
    created_at timestamptz,
    updated_at timestamptz,
    flow_state_id uuid references auth.flow_state (id) on delete cascade
);
create index saml_relay_states_sso_provider_id_idx on auth.saml_relay_states (sso_provider_id);
create index saml_relay_states_flow_state_id_idx on auth.saml_relay_states (flow_state_id);
comment on table auth.saml_relay_states is 'Nothing reads it: sign-in by SAML is not there.';
select kernel.system_table('auth.saml_relay_states', 'upstream''s; nothing is kept in it');
