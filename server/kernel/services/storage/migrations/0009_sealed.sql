-- The first start after this seals what stands there and empties the old column.
alter table storage.signing_keys
    alter column secret drop not null,
    add column sealed bytea,
    add check (num_nonnulls(secret, sealed) = 1);
comment on column storage.signing_keys.sealed is 'What signs tokens, sealed.';
