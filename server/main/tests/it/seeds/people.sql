-- People as seeds write them: with the columns that GoTrue needs, with many, with few, in a block, by a function.
create table public.profiles (
    id uuid primary key references auth.users on delete cascade,
    full_name text,
    avatar_url text,
    updated_at timestamptz
);
alter table public.profiles enable row level security;
create policy "Public profiles are viewable by everyone." on profiles for select using (true);
create policy "Users can update own profile." on profiles for update using ((select auth.uid()) = id);
create function public.handle_new_user() returns trigger set search_path = '' as $$
begin
    insert into public.profiles (id, full_name, avatar_url)
    values (new.id, new.raw_user_meta_data ->> 'full_name', new.raw_user_meta_data ->> 'avatar_url');
    return new;
end;
$$ language plpgsql security definer;
create trigger on_auth_user_created after insert on auth.users for each row execute procedure public.handle_new_user();

-- Many at once.
insert into
    auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, recovery_sent_at, last_sign_in_at,
        raw_app_meta_data, raw_user_meta_data, created_at, updated_at, confirmation_token, email_change,
        email_change_token_new, recovery_token)
    (select '00000000-0000-0000-0000-000000000000', uuid_generate_v4(), 'authenticated', 'authenticated',
        'user' || (row_number() over ()) || '@example.com', crypt('password123', gen_salt('bf')), current_timestamp,
        current_timestamp, current_timestamp, '{"provider":"email","providers":["email"]}', '{}', current_timestamp,
        current_timestamp, '', '', '', ''
    from generate_series(1, 3));
insert into auth.identities (id, user_id, provider_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
    (select uuid_generate_v4(), id, id, format('{"sub":"%s","email":"%s"}', id::text, email)::jsonb, 'email', current_timestamp,
        current_timestamp, current_timestamp from auth.users);

-- As the editor of tables writes a row: every column, most of them null.
INSERT INTO "auth"."users" ("instance_id", "id", "aud", "role", "email", "encrypted_password", "email_confirmed_at", "invited_at",
    "confirmation_token", "confirmation_sent_at", "recovery_token", "recovery_sent_at", "email_change_token_new", "email_change",
    "email_change_sent_at", "last_sign_in_at", "raw_app_meta_data", "raw_user_meta_data", "is_super_admin", "created_at",
    "updated_at", "phone", "phone_confirmed_at", "phone_change", "phone_change_token", "phone_change_sent_at",
    "email_change_token_current", "email_change_confirm_status", "banned_until", "reauthentication_token",
    "reauthentication_sent_at", "is_sso_user", "deleted_at", "is_anonymous")
VALUES ('00000000-0000-0000-0000-000000000000', '4f1d6ca5-5ed1-4a3f-8a31-2e7a0ad26d4e', 'authenticated', 'authenticated',
    'Everything@Example.com', extensions.crypt('password123', extensions.gen_salt('bf', 10)), '2024-03-01 10:00:00+00', null, '', null, '', null,
    '', '', null, null, '{"provider": "email", "providers": ["email"]}', '{"full_name": "Ada Lovelace"}', null,
    '2024-03-01 10:00:00+00', '2024-03-01 10:00:00+00', null, null, '', '', null, '', 0, null, '', null, false, null, false);
INSERT INTO "auth"."identities" ("provider_id", "user_id", "identity_data", "provider", "last_sign_in_at", "created_at",
    "updated_at", "id")
VALUES ('4f1d6ca5-5ed1-4a3f-8a31-2e7a0ad26d4e', '4f1d6ca5-5ed1-4a3f-8a31-2e7a0ad26d4e',
    '{"sub": "4f1d6ca5-5ed1-4a3f-8a31-2e7a0ad26d4e", "email": "everything@example.com", "email_verified": false, "phone_verified": false}',
    'email', null, null, null, '7ad4c2c5-4d8c-4a07-8a2e-0d7f2a6c8f11');

-- In a block, with null where others write nothing; and once more, which changes nothing.
do $$
declare
    person uuid := '11111111-1111-4111-8111-111111111111';
begin
    for round in 1..2 loop
        if not exists (select 1 from auth.users where email = 'block@example.com') then
            insert into auth.users (id, instance_id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data,
                raw_user_meta_data, created_at, updated_at, confirmation_token, recovery_token, email_change, email_change_token_new)
            values (person, '00000000-0000-0000-0000-000000000000', null, null, 'block@example.com',
                crypt('password123', gen_salt('bf')), now(), null, null, null, null, null, null, null, null);
        end if;
        insert into auth.identities (provider_id, user_id, identity_data, provider, created_at, updated_at, last_sign_in_at)
        select u.id::text, u.id, jsonb_build_object('sub', u.id::text, 'email', u.email, 'email_verified', true), 'email', now(), now(), now()
        from auth.users u where u.id = person
        on conflict (provider, provider_id) do nothing;
        insert into auth.identities (provider_id, user_id, identity_data, provider, created_at, updated_at)
        select u.id::text, u.id, '{}', 'email', now(), now() from auth.users u where u.id = person
        on conflict on constraint identities_provider_id_provider_unique do update set updated_at = now();
    end loop;
end $$;

-- By a function of the seed's own, which says what types come back.
create function public.create_user(email text, password text) returns uuid language plpgsql security definer as $$
declare
    user_id uuid := gen_random_uuid();
    encrypted_pw text := extensions.crypt(password, extensions.gen_salt('bf'));
begin
    insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data,
        raw_user_meta_data, created_at, updated_at, confirmation_token, email_change, email_change_token_new, recovery_token)
    values ('00000000-0000-0000-0000-000000000000', user_id, 'authenticated', 'authenticated', email, encrypted_pw, now(),
        '{"provider":"email","providers":["email"]}', '{"full_name":"By a function"}', now(), now(), '', '', '', '');
    insert into auth.identities (id, user_id, provider_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
    values (gen_random_uuid(), user_id, user_id, format('{"sub":"%s","email":"%s"}', user_id::text, email)::jsonb, 'email',
        now(), now(), now());
    return user_id;
end;
$$;
select public.create_user('function@example.com', 'password123');
create function public.get_users() returns table (id uuid, email varchar(255), role varchar) language plpgsql security definer as $$
begin
    return query select u.id, u.email, u.role from auth.users u order by u.email;
end;
$$;
select * from public.get_users();
create view public.addresses as select id, email from auth.users;

-- Repairs that circulate.
update auth.users set confirmation_token = coalesce(confirmation_token, ''), email_change = coalesce(email_change, ''),
    email_change_token_new = coalesce(email_change_token_new, ''), recovery_token = coalesce(recovery_token, '');
update auth.users set email_confirmed_at = coalesce(email_confirmed_at, now()),
    raw_app_meta_data = raw_app_meta_data || '{"claims_admin": true}' where email = 'function@example.com';
