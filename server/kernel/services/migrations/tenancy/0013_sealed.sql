-- The first start after this seals what stands there and empties the old column.
alter table tenancy.s3_secrets
    alter column secret drop not null,
    add column sealed bytea,
    add check (num_nonnulls(secret, sealed) = 1);
comment on column tenancy.s3_secrets.sealed is 'What the key signs with, sealed.';
