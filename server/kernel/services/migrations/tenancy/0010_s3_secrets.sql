-- What keys sign with that S3 clients use, too. A signature is checked by making it again, so a hash would not do.
create table tenancy.s3_secrets (
    key_id uuid primary key references tenancy.api_keys (id) on delete cascade,
    secret text not null check (length(secret) >= 40)
);
select kernel.system_table('tenancy.s3_secrets', 'secrets');

-- They go with the key, whoever revokes it.
create function tenancy.forget_s3_secret() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    delete from tenancy.s3_secrets where key_id = new.id;
    return null;
end $$;
create trigger forget_s3_secret after update of revoked_at on tenancy.api_keys
    for each row when (new.revoked_at is not null) execute function tenancy.forget_s3_secret();
