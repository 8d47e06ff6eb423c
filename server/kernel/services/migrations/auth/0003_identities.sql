-- A person may have no address yet (a visitor who was given an account), and several ways to sign in.
alter table auth.users
    alter column email drop not null,
    add column is_anonymous boolean not null default false;
comment on column auth.users.is_anonymous is
    'A visitor''s account: it has data, but nobody could sign in to it again. An address makes it a person''s.';

create table auth.identities (
    id uuid primary key,
    user_id uuid not null references auth.users (id) on delete cascade,
    provider text not null,
    provider_id text not null,
    identity_data jsonb not null,
    last_sign_in_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (provider, provider_id)
);
create index identities_user on auth.identities (user_id);
comment on table auth.identities is 'Ways in: the account of a provider that stands for a person. The provider email is their own address.';
comment on column auth.identities.provider_id is 'Who they are to the provider; for email the person''s id.';
select kernel.system_table('auth.identities', 'ways in of people, across organisations');

insert into auth.identities
    (id, user_id, provider, provider_id, identity_data, last_sign_in_at, created_at, updated_at)
select id, id, 'email', id::text, jsonb_build_object('sub', id, 'email', email, 'email_verified', true),
    last_sign_in_at, created_at, updated_at
from auth.users;
update auth.users set email_confirmed_at = created_at where email_confirmed_at is null;

-- How the session's person proved who they are: every token of the session says so.
alter table auth.sessions
    add column aal text not null default 'aal1' check (aal in ('aal1', 'aal2')),
    add column amr jsonb;
update auth.sessions set amr = jsonb_build_array(
    jsonb_build_object('method', 'password', 'timestamp', extract(epoch from created_at)::bigint));
alter table auth.sessions alter column amr set not null;
comment on column auth.sessions.amr is 'Methods and moments of authentication (RFC 8176), the latest first.';
