-- Where people have signed in before: from there they come in while somebody elsewhere guesses their password.
create table auth.known_places (
    user_id uuid not null references auth.users (id) on delete cascade,
    place bytea not null,
    last_used_at timestamptz not null,
    primary key (user_id, place)
);
create index known_places_last_used on auth.known_places (last_used_at);
comment on column auth.known_places.place is 'SHA-256 of the block of addresses: enough to know it again.';
select kernel.system_table('auth.known_places', 'belongs to people, across organisations');

-- Proofs go to telephone numbers, too, and to the address that is given up. Which kinds there are the identity service knows.
alter table auth.one_time_tokens drop constraint one_time_tokens_kind_check;
alter table auth.one_time_tokens add check (kind ~ '^[a-z_]{1,40}$');
create index one_time_tokens_expires on auth.one_time_tokens (expires_at);
create index flow_states_expires on auth.flow_states (expires_at);
comment on column auth.one_time_tokens.address is 'Where the message went, an address or a telephone number: what the proof proves.';

-- What hooks run as that are functions: a role with no rights but those the operator grants it. The name is the one that scripts
-- written for Supabase grant them to.
do $$
begin
    begin
        create role supabase_auth_admin nologin noinherit;
    exception when duplicate_object or unique_violation then
        null; -- roles are the cluster's; another database of it made it
    end;
    begin
        grant supabase_auth_admin to tenon_authenticator;
    exception when unique_violation or object_in_use or internal_error then
        null; -- the same grant, made by another database at the same moment
    end;
end $$;
