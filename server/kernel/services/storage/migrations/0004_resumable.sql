-- Uploads that come in several requests (TUS). Content grows in the store; a row says how far, and outlasts server and client.
create table storage.resumable_uploads (
    id uuid primary key,
    bucket_id text not null references storage.buckets (id) on delete cascade,
    name text collate "C" not null,
    version text collate "C" not null unique,
    began_by text not null,
    owner_id text,
    upsert boolean not null,
    mime_type text not null,
    cache_control text not null,
    user_metadata jsonb,
    told text not null,
    length bigint check (length >= 0),
    growing jsonb not null,
    acknowledged bigint not null default 0,
    state text not null default 'open' check (state in ('open', 'whole', 'done')),
    holder uuid,
    held_until timestamptz,
    created_at timestamptz not null,
    expires_at timestamptz not null
);
create index resumable_uploads_bucket on storage.resumable_uploads (bucket_id);
create index resumable_uploads_expiry on storage.resumable_uploads (expires_at);
select kernel.system_table('storage.resumable_uploads', 'uploads on their way, of buckets that may belong to no organisation');
comment on table storage.resumable_uploads is 'Uploads that come in several requests.';
comment on column storage.resumable_uploads.version is 'The key of the content.';
comment on column storage.resumable_uploads.began_by is 'Whose it is: nobody else goes on with it.';
comment on column storage.resumable_uploads.told is 'What the client told about it, as it told it.';
comment on column storage.resumable_uploads.growing is 'What the store knows of the content so far.';
comment on column storage.resumable_uploads.acknowledged is 'How much of it the client may count on.';
comment on column storage.resumable_uploads.state is 'whole: all content is there, and the object is being made; done: there is the object.';
comment on column storage.resumable_uploads.holder is 'The request that adds to it, for as long as it says that it lives.';
