-- Buckets and objects, with the tables and columns of Supabase Storage, so that policies, seeds and dumps written for it load.
create type storage.buckettype as enum ('STANDARD', 'ANALYTICS', 'VECTOR');

create table storage.buckets (
    id text primary key,
    name text not null check (length(name) between 1 and 100),
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    public boolean default false,
    avif_autodetection boolean default false,
    file_size_limit bigint check (file_size_limit >= 0),
    allowed_mime_types text[],
    owner_id text,
    type storage.buckettype not null default 'STANDARD'
);
create unique index bname on storage.buckets (name);
comment on column storage.buckets.owner is 'As owner_id, where that is a UUID.';
comment on column storage.buckets.owner_id is 'The person who made it; null if a program of the operator did.';

-- The organisation whose object a name in the bucket "files" is: its first part, as it is written here.
create function storage.org_of(bucket text, name text) returns uuid
language sql immutable parallel safe as $$
    select case when bucket = 'files'
        and name ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/' then left(name, 36)::uuid end
$$;

-- Bytes, as the server wrote them down.
create function storage.size_of(metadata jsonb) returns bigint
language sql immutable parallel safe as $$
    select case when metadata ->> 'size' ~ '^[0-9]{1,18}$' then (metadata ->> 'size')::bigint else 0 end
$$;
grant execute on function storage.org_of(text, text), storage.size_of(jsonb) to anon, authenticated, service_role, tenon_system;

create table storage.objects (
    id uuid primary key default gen_random_uuid(),
    bucket_id text references storage.buckets (id),
    name text,
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    last_accessed_at timestamptz default now(),
    metadata jsonb,
    path_tokens text[] generated always as (string_to_array(name, '/')) stored,
    version text,
    owner_id text,
    user_metadata jsonb,
    org_id uuid generated always as (storage.org_of(bucket_id, name)) stored,
    check (bucket_id <> 'files' or org_id is not null)
);
-- In the order of bytes, whatever the database's own is: pages and folders are ranges of it.
create unique index objects_name on storage.objects (bucket_id, name collate "C");
create index objects_org on storage.objects (org_id) where org_id is not null;
create index objects_owner on storage.objects (owner_id) where owner_id is not null;
create index objects_version on storage.objects (version collate "C");
comment on column storage.objects.version is 'The key of its content; a row without one has none.';
comment on column storage.objects.org_id is 'The organisation it counts for and is walled by; null where there is none.';
comment on column storage.objects.path_tokens is 'The parts of its name.';

create table storage.s3_multipart_uploads (
    id text primary key,
    in_progress_size bigint not null default 0,
    upload_signature text not null default '',
    bucket_id text not null references storage.buckets (id) on delete cascade,
    key text collate "C" not null,
    version text not null,
    owner_id text,
    created_at timestamptz not null default now(),
    user_metadata jsonb,
    metadata jsonb,
    org_id uuid generated always as (storage.org_of(bucket_id, key)) stored,
    store_upload text,
    check (bucket_id <> 'files' or org_id is not null)
);
create index idx_multipart_uploads_list on storage.s3_multipart_uploads (bucket_id, key, created_at);
create index multipart_uploads_version on storage.s3_multipart_uploads (version collate "C");
create index multipart_uploads_age on storage.s3_multipart_uploads (created_at);
create index multipart_uploads_org on storage.s3_multipart_uploads (org_id) where org_id is not null;
comment on column storage.s3_multipart_uploads.store_upload is 'What the store calls it.';
comment on column storage.s3_multipart_uploads.upload_signature is 'Stays empty: sizes are summed from the parts.';

create table storage.s3_multipart_uploads_parts (
    id uuid primary key default gen_random_uuid(),
    upload_id text not null references storage.s3_multipart_uploads (id) on delete cascade,
    size bigint not null default 0,
    part_number int not null,
    bucket_id text not null references storage.buckets (id) on delete cascade,
    key text collate "C" not null,
    etag text not null,
    owner_id text,
    version text not null,
    created_at timestamptz not null default now()
);
create unique index multipart_parts_number on storage.s3_multipart_uploads_parts (upload_id, part_number);

select kernel.shared_table('storage.buckets', 'of the installation; policies say who sees them');
select kernel.shared_table('storage.objects', 'of buckets that may belong to no organisation; policies and the wall on org_id say who sees them');
select kernel.shared_table('storage.s3_multipart_uploads', 'uploads on their way, reached by server code alone');
select kernel.shared_table('storage.s3_multipart_uploads_parts', 'their parts, reached by server code alone');
grant select, insert, update, delete on storage.buckets, storage.objects to anon, authenticated, service_role;

-- A program of the operator's own passes every policy, as everywhere in the operator's own schemas, and speaks for no organisation.
create policy "service_role sees all" on storage.buckets to service_role
    using (id <> 'files' and tenancy.org_id() is null) with check (id <> 'files' and tenancy.org_id() is null);
create policy "service_role sees all" on storage.objects to service_role
    using (tenancy.org_id() is null) with check (tenancy.org_id() is null);
-- Whatever policies of the operator's own let in: what belongs to an organisation is seen in it alone.
create policy "wall between organisations" on storage.objects as restrictive to anon, authenticated, service_role
    using (org_id is null or org_id = tenancy.org_id()) with check (org_id is null or org_id = tenancy.org_id());

-- Content goes with its row, but by the server: deleting rows by SQL is meant by few who do it.
create function storage.protect_delete() returns trigger language plpgsql set search_path = '' as $$
begin
    if current_user <> 'tenon_system' and coalesce(current_setting('storage.allow_delete_query', true), '') <> 'true' then
        raise exception 'Direct deletion from storage tables is not allowed. Use the Storage API instead.'
            using hint = 'Set storage.allow_delete_query to true in the transaction if you mean it; the content goes, too.',
                errcode = '42501';
    end if;
    return null;
end $$;
create trigger protect_buckets_delete before delete on storage.buckets
    for each statement execute function storage.protect_delete();
create trigger protect_objects_delete before delete on storage.objects
    for each statement execute function storage.protect_delete();

create function storage.update_updated_at_column() returns trigger language plpgsql set search_path = '' as $$
begin
    new.updated_at := now();
    return new;
end $$;
create trigger update_objects_updated_at before update on storage.objects
    for each row execute function storage.update_updated_at_column();

-- Content that no row names any more; the server lets go of it a little later, when nobody reads it.
create table storage.discarded (
    key text collate "C" not null,
    upload text not null default '',
    discarded_at timestamptz not null default now(),
    primary key (key, upload)
);
create index discarded_age on storage.discarded (discarded_at);
comment on column storage.discarded.upload is 'Parts of an upload that was given up, by what the store calls it; empty: content of an object.';
select kernel.system_table('storage.discarded', 'keys of content to be deleted');

-- What an organisation uses; kept by triggers in the transaction that changes it.
create table storage.usage (
    org_id uuid primary key,
    bytes bigint not null,
    objects bigint not null
);
select kernel.shared_table('storage.usage', 'a counter an organisation, for its quota');

create function storage.count_usage(org uuid, more_bytes bigint, more_objects bigint) returns void
language sql security definer set search_path = '' as $$
    insert into storage.usage as u (org_id, bytes, objects)
    select org, more_bytes, more_objects where more_objects > 0
    on conflict (org_id) do update set bytes = u.bytes + excluded.bytes, objects = u.objects + excluded.objects;
    update storage.usage u set bytes = u.bytes + more_bytes, objects = u.objects + more_objects
    where u.org_id = org and more_objects <= 0;
$$;

create function storage.keep_books() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    if tg_op <> 'INSERT' and old.version is not null and (tg_op = 'DELETE' or new.version is distinct from old.version) then
        insert into storage.discarded (key) values (old.version) on conflict do nothing;
    end if;
    if tg_op = 'UPDATE' and new.org_id is not distinct from old.org_id then
        if new.org_id is not null and storage.size_of(new.metadata) <> storage.size_of(old.metadata) then
            perform storage.count_usage(new.org_id, storage.size_of(new.metadata) - storage.size_of(old.metadata), 0);
        end if;
        return null;
    end if;
    if tg_op <> 'INSERT' and old.org_id is not null then
        perform storage.count_usage(old.org_id, -storage.size_of(old.metadata), -1);
    end if;
    if tg_op <> 'DELETE' and new.org_id is not null then
        perform storage.count_usage(new.org_id, storage.size_of(new.metadata), 1);
    end if;
    return null;
end $$;
create trigger keep_books after insert or delete or update of bucket_id, name, metadata, version on storage.objects
    for each row execute function storage.keep_books();

create function storage.discard_upload() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    if old.store_upload is not null then
        insert into storage.discarded (key, upload) values (old.version, old.store_upload) on conflict do nothing;
    end if;
    return null;
end $$;
create trigger discard_upload after delete on storage.s3_multipart_uploads
    for each row execute function storage.discard_upload();

-- Of these keys, those that something still names.
create function storage.known_keys(keys text[]) returns setof text language sql stable set search_path = '' as $$
    select o.version from storage.objects o where o.version collate "C" = any (keys)
    union select u.version from storage.s3_multipart_uploads u where u.version collate "C" = any (keys)
    union select d.key from storage.discarded d where d.key = any (keys)
$$;
grant execute on function storage.known_keys(text[]) to tenon_system;

-- What signs tokens in addresses; the newest signs, all are believed.
create table storage.signing_keys (
    id uuid primary key,
    secret bytea not null check (length(secret) >= 32),
    created_at timestamptz not null default now()
);
select kernel.system_table('storage.signing_keys', 'secrets');
