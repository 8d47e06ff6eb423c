-- Providers of sign-in that programs of the operator's add while the installation runs; those of the settings are no rows.
create table auth.custom_oauth_providers (
    id uuid primary key default gen_random_uuid(),
    provider_type text not null check (provider_type in ('oauth2', 'oidc')),
    identifier text not null unique check (identifier ~ '^custom:[a-z0-9:-]{0,42}[a-z0-9]$'),
    name text not null check (char_length(name) between 1 and 100),
    client_id text not null check (char_length(client_id) between 1 and 512),
    client_secret text not null,
    acceptable_client_ids text[] not null default '{}',
    scopes text[] not null default '{}',
    pkce_enabled boolean not null default true,
    attribute_mapping jsonb not null default '{}',
    custom_claims_allowlist text[] not null default '{}',
    authorization_params jsonb not null default '{}',
    enabled boolean not null default true,
    email_optional boolean not null default false,
    issuer text check (char_length(issuer) <= 2048),
    discovery_url text check (char_length(discovery_url) <= 2048),
    skip_nonce_check boolean not null default false,
    cached_discovery jsonb,
    discovery_cached_at timestamptz,
    authorization_url text check (char_length(authorization_url) <= 2048),
    token_url text check (char_length(token_url) <= 2048),
    userinfo_url text check (char_length(userinfo_url) <= 2048),
    jwks_uri text check (char_length(jwks_uri) <= 2048),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check (provider_type <> 'oidc' or issuer is not null),
    check (provider_type <> 'oauth2'
        or authorization_url is not null and token_url is not null and userinfo_url is not null)
);
comment on table auth.custom_oauth_providers is 'Providers of sign-in that are no settings.';
comment on column auth.custom_oauth_providers.identifier is 'What auth.identities calls the provider; it never changes.';
comment on column auth.custom_oauth_providers.client_secret is 'What the provider gave Tenon; sent to it, and shown to nobody.';
comment on column auth.custom_oauth_providers.attribute_mapping is 'Which claim stands for which of those that are read.';
comment on column auth.custom_oauth_providers.custom_claims_allowlist is 'Claims that people''s data keeps as the provider tells them.';
comment on column auth.custom_oauth_providers.cached_discovery is
    'What the provider published when it was last set up, to be shown; signing in reads it anew.';
select kernel.system_table('auth.custom_oauth_providers', 'providers of the installation, across organisations');
