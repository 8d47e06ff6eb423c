-- Lists cost what they show, whatever else there is: by name and by time, of one folder and of all below it.

-- The folder that a name lies in, with its '/'. A column, as under row-level security an index is not asked for what a function says.
create function storage.folder_of(name text) returns text
language sql immutable parallel safe as $$
    select case when strpos(name, '/') = 0 then '' else left(name, length(name) + 1 - strpos(reverse(name), '/')) end
$$;
grant execute on function storage.folder_of(text) to anon, authenticated, service_role, tenon_system;

alter table storage.objects add column folder text collate "C" generated always as (storage.folder_of(name)) stored;
comment on column storage.objects.folder is 'The folder it lies in, with its slash; empty at the top.';

create index objects_folder_name on storage.objects (bucket_id, folder, name collate "C");
-- Names are not in these: few objects share a moment, and those are sorted when they are asked for.
create index objects_folder_created on storage.objects
    (bucket_id, folder, (case when created_at is null then timestamptz 'epoch' else created_at end));
create index objects_folder_updated on storage.objects
    (bucket_id, folder, (case when updated_at is null then timestamptz 'epoch' else updated_at end));
create index objects_created on storage.objects
    (org_id, bucket_id, (case when created_at is null then timestamptz 'epoch' else created_at end));
drop index storage.objects_org;

-- Entries under a prefix, from one of them on. With `delimited`, what lies in a folder below the prefix is one entry, and all that is
-- in it is stepped over. A folder ends with '/', as a cursor, too. `times` names the column to go by; without it names are in the order
-- of bytes. By time, folders come as if they were the oldest, or with `folders_first` the first in either direction. `skipped` entries
-- are passed over; `search` is how an entry begins, in upper or lower case.
--
-- The statement is put together from what is asked, so that its plan is made for it: no text that came from outside is in it.
create function storage.entries(
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
                    '(select * from storage.objects o where o.bucket_id = $1 and o.name collate "C" >= $3 and o.name collate "C" < $4 offset 0)' end,
                'o.bucket_id = $1'
                    || case when delimited then ' and o.folder = $2' else '' end
                    || case when by_bucket and times is not null then
                        case when org is null then ' and o.org_id is null' else ' and o.org_id = $13' end else '' end
                    || case when times is null then ' and o.name collate "C" >= $3 and o.name collate "C" < $4' else '' end
                    || format(begins, 'o.name')
                    || case when after = '' or times is not null and at_folder then ''
                        when times is null then ' and o.name collate "C" ' || case when descending then '<' else '>' end || ' $7'
                        else format(' and %1$s %2$s= $8 and (%1$s %2$s $8 or o.name collate "C" %2$s $7)', at,
                            case when descending then '<' else '>' end) end,
                case when by_bucket and times is not null and org is null then 'o.org_id ' || direction || ', ' else '' end
                    || case when times is null then '' else at || ' ' || direction || ', ' end
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
                    (select o.folder from storage.objects o where o.bucket_id = $1 and o.folder >= $11 and o.folder < $12
                        order by o.folder %1$s limit 1)
                    union all
                    select (select o.folder from storage.objects o where o.bucket_id = $1 and %2$s order by o.folder %1$s limit 1)
                    from (select left(folder, $5 + strpos(substr(folder, $5 + 1), ''/'')) as entry from steps where folder is not null) s
                )
                select s.entry as name, true as is_folder, null::uuid as id, null::timestamptz as updated_at, null::timestamptz as created_at,
                    null::timestamptz as last_accessed_at, null::jsonb as metadata, timestamptz ''epoch'' as at
                from (select left(folder, $5 + strpos(substr(folder, $5 + 1), ''/'')) as entry from steps where folder is not null) s
                where true %3$s limit $9::bigint + $10)',
                case when folders_descend then 'desc' else 'asc' end,
                case when folders_descend then 'o.folder >= $11 and o.folder < s.entry'
                    else 'o.folder >= left(s.entry, -1) || ''0'' and o.folder < $12' end,
                format(begins, 's.entry')));
    end if;

    if parts <> '{}' then
        return query execute 'select name, is_folder, id, updated_at, created_at, last_accessed_at, metadata from ('
            || array_to_string(parts, ' union all ') || ') found order by ' || ordered || ' limit $9 offset $10'
        using in_bucket, here, low, high, width, search, after, coalesce(after_at, 'epoch'), entries, skipped, folders_low, folders_high, org;
    end if;
end $$;

create or replace function storage.search(
    prefix text, bucketname text, limits integer default 100, levels integer default 1, offsets integer default 0,
    search text default '', sortcolumn text default 'name', sortorder text default 'asc'
) returns table (
    name text, id uuid, updated_at timestamptz, created_at timestamptz, last_accessed_at timestamptz, metadata jsonb
) language sql stable set search_path = '' as $$
    select rtrim(substr(e.name, length(prefix) + 1), '/'), e.id, e.updated_at, e.created_at, e.last_accessed_at, e.metadata
    from storage.entries(bucketname, prefix, true,
        case when lower(sortcolumn) in ('updated_at', 'created_at', 'last_accessed_at') then lower(sortcolumn) end,
        true, '', null, limits, offsets, lower(sortorder) = 'desc', search) e
$$;

create or replace function storage.search_v2(
    prefix text, bucket_name text, limits integer default 100, levels integer default 1, start_after text default '',
    sort_order text default 'asc', sort_column text default 'name', sort_column_after text default ''
) returns table (
    key text, name text, id uuid, updated_at timestamptz, created_at timestamptz, last_accessed_at timestamptz, metadata jsonb
) language sql stable set search_path = '' as $$
    select storage.filename(rtrim(e.name, '/')), e.name, e.id, e.updated_at, e.created_at, e.last_accessed_at, e.metadata
    from storage.entries(bucket_name, prefix, true,
        case when lower(sort_column) in ('updated_at', 'created_at') then lower(sort_column) end,
        false, start_after, nullif(sort_column_after, '')::timestamptz, limits, 0, lower(sort_order) = 'desc', '') e
$$;

create or replace function storage.list_objects_with_delimiter(
    _bucket_id text, prefix_param text, delimiter_param text, max_keys integer default 100, start_after text default '',
    next_token text default '', sort_order text default 'asc'
) returns table (
    name text, id uuid, metadata jsonb, updated_at timestamptz, created_at timestamptz, last_accessed_at timestamptz
) language sql stable set search_path = '' as $$
    select e.name, e.id, e.metadata, e.updated_at, e.created_at, e.last_accessed_at
    from storage.entries(_bucket_id, coalesce(prefix_param, ''), delimiter_param = '/', null, false,
        coalesce(nullif(next_token, ''), start_after, ''), null, max_keys, 0, lower(sort_order) = 'desc', '') e
$$;

drop function storage.walk(text, text, boolean, text, int, int, boolean, text);
grant execute on function storage.entries(text, text, boolean, text, boolean, text, timestamptz, int, int, boolean, text)
    to anon, authenticated, service_role, tenon_system;
