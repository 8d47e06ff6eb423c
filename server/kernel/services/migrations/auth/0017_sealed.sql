-- What was kept as it is until there were sealed values. The first start after this seals it and empties the old columns.
alter table auth.signing_keys
    alter column private_pem drop not null,
    add column sealed bytea,
    add check (num_nonnulls(private_pem, sealed) = 1);
comment on column auth.signing_keys.sealed is 'The private key in PEM, sealed.';

alter table auth.mfa_factors
    add column sealed bytea,
    add check (num_nonnulls(secret, sealed) <= 1);
comment on column auth.mfa_factors.secret is 'Empty: the secret is in the column sealed.';
comment on column auth.mfa_factors.sealed is 'Of an authenticator app, in Base32, sealed.';

alter table auth.custom_oauth_providers
    alter column client_secret drop not null,
    add column sealed bytea,
    add check (num_nonnulls(client_secret, sealed) = 1);
comment on column auth.custom_oauth_providers.client_secret is 'Empty: the secret is in the column sealed.';
comment on column auth.custom_oauth_providers.sealed is 'What the provider gave Tenon, sealed; sent to it, and shown to nobody.';
