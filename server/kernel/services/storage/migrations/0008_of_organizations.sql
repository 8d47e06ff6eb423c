-- What a policy asks is asked of every row, unless an index answers it: so the objects of organisations have indexes that begin with
-- the organisation, and those of nobody have indexes without it. A row stands in one of each pair.
drop index storage.objects_folder_name, storage.objects_folder_created, storage.objects_folder_updated, storage.objects_created;
create index objects_org_name on storage.objects (org_id, bucket_id, name collate "C") where org_id is not null;
create index objects_org_folder on storage.objects (org_id, bucket_id, folder, name collate "C") where org_id is not null;
create index objects_org_created on storage.objects
    (org_id, bucket_id, (case when created_at is null then timestamptz 'epoch' else created_at end)) where org_id is not null;
create index objects_org_folder_created on storage.objects
    (org_id, bucket_id, folder, (case when created_at is null then timestamptz 'epoch' else created_at end)) where org_id is not null;
create index objects_org_folder_updated on storage.objects
    (org_id, bucket_id, folder, (case when updated_at is null then timestamptz 'epoch' else updated_at end)) where org_id is not null;
create index objects_folder on storage.objects (bucket_id, folder, name collate "C") where org_id is null;
create index objects_created on storage.objects
    (bucket_id, (case when created_at is null then timestamptz 'epoch' else created_at end)) where org_id is null;
create index objects_folder_created on storage.objects
    (bucket_id, folder, (case when created_at is null then timestamptz 'epoch' else created_at end)) where org_id is null;
create index objects_folder_updated on storage.objects
    (bucket_id, folder, (case when updated_at is null then timestamptz 'epoch' else updated_at end)) where org_id is null;

-- Entries under a prefix, from one of them on. With `delimited`, what lies in a folder below the prefix is one entry, and all that is
-- in it is stepped over. A folder ends with '/', as a cursor, too. `times` names the column to go by; without it names are in the order
-- of bytes. By time, folders come as if they were the oldest, or with `folders_first` the first in either direction. `skipped` entries
-- are passed over; `search` is how an entry begins, in upper or lower case.
--
-- The statement is put together from what is asked, so that its plan is made for it: no text that came from outside is in it.
create or replace function storage.entries(
    in_bucket text, under text, delimited boolean, times text, folders_first boolean, after text, after_at timestamptz,
    entries int, skipped int, descending boolean, search text,
    out name text, out is_folder boolean, out id uuid, out updated_at timestamptz, out created_at timestamptz,
    out last_accessed_at timestamptz, out metadata jsonb
) returns setof record language plpgsql stable set search_path = '' set enable_sort = off set enable_bitmapscan = off
    set max_parallel_workers_per_gather = 0 as $$
declare
    here constant text := storage.folder_of(under);
    width constant int := length(under);
    org constant uuid := case when in_bucket = 'files' then tenancy.org_id() end;
    -- No name has a character beyond it.
    low text := under;
    high text := under || U&'\+10FFFF';
    folders_low text;
    folders_high text;
    inside text;
    by_folder constant boolean := delimited and under = here;
    by_bucket boolean;
    -- An object may be named like the folder that it is shown in.
    at_folder constant boolean := delimited and right(after, 1) = '/' and after <> here;
    at constant text := case when times is null then 'null::timestamptz'
        else format('case when o.%1$I is null then timestamptz ''epoch'' else o.%1$I end', times) end;
    direction constant text := case when descending then 'desc' else 'asc' end;
    ordered constant text := case when times is null then ''
        when folders_first then 'is_folder desc, case when is_folder then name end collate "C", at ' || direction || ', '
        else format('is_folder %s, at %s, ', case when descending then 'asc' else 'desc' end, direction) end
        || 'name collate "C" ' || direction;
    folders_descend constant boolean := descending and (times is null or not folders_first);
    begins constant text := case when search = '' then ''
        else ' and left(lower(substr(%s, $5 + 1)), length($6)) = lower($6)' end;
    -- Objects of organisations and of none have indexes of their own.
    of_org constant text := case when in_bucket <> 'files' then ' and o.org_id is null'
        when org is not null then ' and o.org_id = $13' else '' end;
    parts text[] := '{}';
begin
    if entries <= 0 then
        return;
    end if;
    -- The wall lets none of these see anything else there, and would be walked along for it.
    if in_bucket = 'files' and current_user in ('anon', 'authenticated', 'service_role') then
        if org is null then
            return;
        end if;
        low := greatest(low collate "C", org || '/');
        high := least(high collate "C", org || '0');
    end if;
    by_bucket := not delimited and (under = '' and (in_bucket <> 'files' or low <> '') or under = org || '/');

    -- Objects, unless the cursor has come to the folders behind them.
    if times is null or not descending or not at_folder or folders_first then
        parts := parts || (
            select format('(select o.name, false as is_folder, o.id, o.updated_at, o.created_at, o.last_accessed_at, o.metadata, %s as at from %s o where %s order by %s limit $9::bigint + $10)',
                at,
                case when times is null or by_folder or by_bucket then 'storage.objects' else
                    -- No index has them in this order, so all of them are read, and sorted.
                    '(select * from storage.objects o where o.bucket_id = $1' || of_org || ' and o.name collate "C" >= $3 and o.name collate "C" < $4 offset 0)' end,
                'o.bucket_id = $1' || of_org
                    || case when delimited then ' and o.folder = $2' else '' end
                    || case when times is null then ' and o.name collate "C" >= $3 and o.name collate "C" < $4' else '' end
                    || format(begins, 'o.name')
                    || case when after = '' or times is not null and at_folder then ''
                        when times is null then ' and o.name collate "C" ' || case when descending then '<' else '>' end || ' $7'
                        else format(' and %1$s %2$s= $8 and (%1$s %2$s $8 or o.name collate "C" %2$s $7)', at,
                            case when descending then '<' else '>' end) end,
                case when times is null then '' else at || ' ' || direction || ', ' end
                    || 'o.name collate "C" ' || direction));
    end if;

    -- Folders, unless the cursor has left them behind.
    if delimited and (times is null or descending or after = '' or at_folder or folders_first) then
        folders_low := greatest(under || chr(1) collate "C", low);
        folders_high := high;
        if after <> '' and (times is null or at_folder) then
            -- A cursor may lie inside of a folder, which then is an entry if something in it is beyond the cursor.
            inside := case when left(after, width) = under then
                left(after, width + nullif(strpos(substr(after, width + 1), '/'), 0)) end;
            if inside <> after and exists (
                select from storage.objects o where o.bucket_id = in_bucket
                    and o.name collate "C" >= case when descending then inside else after || chr(1) end
                    and o.name collate "C" < case when descending then after else left(inside, -1) || '0' end)
            then
                folders_high := case when descending then left(inside, -1) || '0' else folders_high end;
                folders_low := case when descending then folders_low else inside end;
            elsif descending then
                folders_high := least(folders_high collate "C", coalesce(inside, after));
            else
                folders_low := greatest(folders_low collate "C", coalesce(left(inside, -1) || '0', after || chr(1)));
            end if;
        end if;
        parts := parts || (
            select format('(with recursive steps(folder) as (
                    (select o.folder from storage.objects o where o.bucket_id = $1%4$s and o.folder >= $11 and o.folder < $12
                        order by o.folder %1$s limit 1)
                    union all
                    select (select o.folder from storage.objects o where o.bucket_id = $1%4$s and %2$s order by o.folder %1$s limit 1)
                    from (select left(folder, $5 + strpos(substr(folder, $5 + 1), ''/'')) as entry from steps where folder is not null) s
                )
                select s.entry as name, true as is_folder, null::uuid as id, null::timestamptz as updated_at, null::timestamptz as created_at,
                    null::timestamptz as last_accessed_at, null::jsonb as metadata, timestamptz ''epoch'' as at
                from (select left(folder, $5 + strpos(substr(folder, $5 + 1), ''/'')) as entry from steps where folder is not null) s
                where true %3$s limit $9::bigint + $10)',
                case when folders_descend then 'desc' else 'asc' end,
                case when folders_descend then 'o.folder >= $11 and o.folder < s.entry'
                    else 'o.folder >= left(s.entry, -1) || ''0'' and o.folder < $12' end,
                format(begins, 's.entry'), of_org));
    end if;

    if parts <> '{}' then
        return query execute 'select name, is_folder, id, updated_at, created_at, last_accessed_at, metadata from ('
            || array_to_string(parts, ' union all ') || ') found order by ' || ordered || ' limit $9 offset $10'
        using in_bucket, here, low, high, width, search, after, coalesce(after_at, 'epoch'), entries, skipped, folders_low, folders_high, org;
    end if;
end $$;

