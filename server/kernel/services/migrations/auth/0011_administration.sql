-- A new key is published before it signs.
alter table auth.signing_keys add column signs_from timestamptz;
update auth.signing_keys set signs_from = created_at;
alter table auth.signing_keys alter column signs_from set not null;
comment on column auth.signing_keys.signs_from is 'Since when it signs; of those whose time has come the latest does.';

-- Kinds of proofs are the server's words; it makes no others.
alter table auth.one_time_tokens drop constraint if exists one_time_tokens_kind_check;
alter table auth.one_time_tokens add constraint one_time_tokens_kind_check check (kind ~ '^[a-z_]{1,40}$');
