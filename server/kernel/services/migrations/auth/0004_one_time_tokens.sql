-- Proofs that somebody reads an address: a link and a code in one mail, either good once.
create table auth.one_time_tokens (
    id uuid primary key,
    user_id uuid not null references auth.users (id) on delete cascade,
    kind text not null check (kind in ('signup', 'magiclink', 'recovery', 'email_change')),
    address text not null,
    link_hash bytea not null unique,
    code_hash bytea not null,
    failures int not null default 0,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    unique (user_id, kind)
);
create index one_time_tokens_address on auth.one_time_tokens (address);
comment on column auth.one_time_tokens.address is 'Where the mail went: what the proof proves.';
comment on column auth.one_time_tokens.link_hash is 'SHA-256; the link itself is never stored.';
comment on column auth.one_time_tokens.code_hash is 'SHA-256 of the row''s id and the six digits: guessed fast by whoever has the row, which is why it lives shortly.';
comment on column auth.one_time_tokens.failures is 'Wrong codes given within an hour; after the fifth no code is looked at, only the link.';
select kernel.system_table('auth.one_time_tokens', 'proofs of people, across organisations');
