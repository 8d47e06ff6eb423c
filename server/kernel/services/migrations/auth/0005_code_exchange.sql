-- PKCE (RFC 7636): a client that asked with a challenge gets a code from the link, and a session for the code and what only it
-- knows. Whoever else sees the link's address has nothing.
alter table auth.one_time_tokens
    add column code_challenge text,
    add column code_challenge_method text check (code_challenge_method in ('s256', 'plain')),
    add check ((code_challenge is null) = (code_challenge_method is null));

create table auth.flow_states (
    auth_code_hash bytea primary key,
    user_id uuid not null references auth.users (id) on delete cascade,
    code_challenge text not null,
    code_challenge_method text not null check (code_challenge_method in ('s256', 'plain')),
    expires_at timestamptz not null
);
create index flow_states_user on auth.flow_states (user_id);
comment on column auth.flow_states.auth_code_hash is 'SHA-256; the code itself is never stored.';
select kernel.system_table('auth.flow_states', 'sign-ins on their way, across organisations');
