-- Tenon's own bucket: `<organisation>/…`, by permissions, and `<organisation>/spaces/<space>/…` by spaces besides. The policies read
-- the row and the request's context, no table.

-- The space that a name lies in; null where it lies in none. What is no UUID is in no space that anybody is in.
create function storage.space_of(path_tokens text[]) returns uuid
language sql immutable parallel safe as $$
    select case when path_tokens[3] ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
        and cardinality(path_tokens) > 3 then path_tokens[3]::uuid end
$$;
grant execute on function storage.space_of(text[]) to anon, authenticated, service_role, tenon_system;

insert into storage.buckets (id, name, public) values ('files', 'files', false);

create policy "members see the bucket" on storage.buckets for select to authenticated
    using (id = 'files' and tenancy.can('storage.objects.read'));

create policy "members read" on storage.objects for select to authenticated using (
    bucket_id = 'files' and org_id = tenancy.org_if('storage.objects.read')
    and (path_tokens[2] is distinct from 'spaces' or coalesce(tenancy.in_space(storage.space_of(path_tokens)), false)));
create policy "members add" on storage.objects for insert to authenticated with check (
    bucket_id = 'files' and org_id = tenancy.org_if('storage.objects.write')
    and (path_tokens[2] is distinct from 'spaces' or coalesce(tenancy.in_space(storage.space_of(path_tokens)), false)));
create policy "members change" on storage.objects for update to authenticated
    using (
        bucket_id = 'files' and org_id = tenancy.org_if('storage.objects.write')
        and (path_tokens[2] is distinct from 'spaces' or coalesce(tenancy.in_space(storage.space_of(path_tokens)), false)))
    with check (
        bucket_id = 'files' and org_id = tenancy.org_if('storage.objects.write')
        and (path_tokens[2] is distinct from 'spaces' or coalesce(tenancy.in_space(storage.space_of(path_tokens)), false)));
create policy "members delete" on storage.objects for delete to authenticated using (
    bucket_id = 'files' and org_id = tenancy.org_if('storage.objects.delete')
    and (path_tokens[2] is distinct from 'spaces' or coalesce(tenancy.in_space(storage.space_of(path_tokens)), false)));
