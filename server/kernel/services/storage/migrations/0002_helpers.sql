-- Functions of Supabase Storage that policies and people call, and the walk through names that lists are made of.
create function storage.foldername(name text) returns text[]
language sql immutable parallel safe as $$
    select parts[1:cardinality(parts) - 1] from (select string_to_array(name, '/') as parts) split
$$;

create function storage.filename(name text) returns text
language sql immutable parallel safe as $$
    select parts[cardinality(parts)] from (select string_to_array(name, '/') as parts) split
$$;

-- What comes after the last dot of the last part; the part itself if it has none.
create function storage.extension(name text) returns text
language sql immutable parallel safe as $$
    select parts[cardinality(parts)] from (select string_to_array(storage.filename(name), '.') as parts) split
$$;

create function storage.operation() returns text
language sql stable parallel safe as $$
    select coalesce(current_setting('storage.operation', true), '')
$$;

create function storage.allow_only_operation(expected_operation text) returns boolean
language sql stable parallel safe as $$
    select coalesce(expected_operation, '') <> ''
        and regexp_replace(storage.operation(), '^storage\.', '') = regexp_replace(expected_operation, '^storage\.', '')
$$;

create function storage.allow_any_operation(expected_operations text[]) returns boolean
language sql stable parallel safe as $$
    select exists (select from unnest(expected_operations) expected where storage.allow_only_operation(expected))
$$;

create function storage.get_common_prefix(p_key text, p_prefix text, p_delimiter text) returns text
language sql immutable parallel safe as $$
    select case when p_delimiter <> '' and strpos(substr(p_key, length(p_prefix) + 1), p_delimiter) > 0
        then left(p_key, length(p_prefix) + strpos(substr(p_key, length(p_prefix) + 1), p_delimiter) + length(p_delimiter) - 1) end
$$;

create function storage.get_size_by_bucket() returns table (size bigint, bucket_id text)
language sql stable set search_path = '' as $$
    select sum(storage.size_of(o.metadata))::bigint, o.bucket_id from storage.objects o group by o.bucket_id
$$;

create function storage.can_insert_object(bucketid text, name text, owner uuid, metadata jsonb) returns void
language plpgsql set search_path = '' as $$
begin
    insert into storage.objects (bucket_id, name, owner, metadata) values (bucketid, name, owner, metadata);
    raise sqlstate 'PT200' using message = 'ROLLBACK', detail = 'rollback successful insert';
end $$;

-- Names under a prefix in the order of bytes, from one of them on. With `delimited`, what lies in a folder below the prefix is one
-- entry, and the walk steps over all that is in it: the cost is that of what is listed, not of what there is.
-- A folder ends with '/', as a cursor, too. `skipped` entries are passed over; `search` is how an entry begins, in either case.
create function storage.walk(
    in_bucket text, under text, delimited boolean, after text, entries int, skipped int, descending boolean, search text,
    out name text, out is_folder boolean, out id uuid, out updated_at timestamptz, out created_at timestamptz,
    out last_accessed_at timestamptz, out metadata jsonb
) returns setof record language plpgsql stable set search_path = '' set enable_sort = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
    -- No name has a character beyond it.
    beyond constant text := under || U&'\+10FFFF';
    width constant int := length(under);
    wanted constant text := lower(search);
    lower_end text := under;
    upper_end text := beyond;
    given int := 0;
    passed int := 0;
    found record;
    slash int;
    entry text;
    stepped boolean;
begin
    if entries <= 0 then
        return;
    end if;
    if after <> '' then
        if descending then
            upper_end := least(after collate "C", upper_end collate "C");
        elsif delimited and right(after, 1) = '/' then
            lower_end := greatest(left(after, -1) || '0' collate "C", lower_end collate "C");
        else
            lower_end := greatest(after || chr(1) collate "C", lower_end collate "C");
        end if;
    end if;
    loop
        stepped := false;
        -- A loop for each direction: the plan of one is kept, and it reads no further than it has to.
        if descending then
            for found in
                select o.id, o.name, o.updated_at, o.created_at, o.last_accessed_at, o.metadata from storage.objects o
                where o.bucket_id = in_bucket and o.name collate "C" >= lower_end and o.name collate "C" < upper_end
                order by o.name collate "C" desc
            loop
                slash := case when delimited then strpos(substr(found.name, width + 1), '/') else 0 end;
                entry := case when slash > 0 then left(found.name, width + slash) else found.name end;
                upper_end := entry;
                stepped := slash > 0;
                if wanted = '' or left(lower(substr(entry, width + 1)), length(wanted)) = wanted then
                    passed := passed + 1;
                    if passed > skipped then
                        name := entry;
                        is_folder := stepped;
                        if not stepped then
                            id := found.id; updated_at := found.updated_at; created_at := found.created_at;
                            last_accessed_at := found.last_accessed_at; metadata := found.metadata;
                        else
                            id := null; updated_at := null; created_at := null; last_accessed_at := null; metadata := null;
                        end if;
                        return next;
                        given := given + 1;
                        if given >= entries then
                            return;
                        end if;
                    end if;
                end if;
                exit when stepped;
            end loop;
        else
            for found in
                select o.id, o.name, o.updated_at, o.created_at, o.last_accessed_at, o.metadata from storage.objects o
                where o.bucket_id = in_bucket and o.name collate "C" >= lower_end and o.name collate "C" < upper_end
                order by o.name collate "C"
            loop
                slash := case when delimited then strpos(substr(found.name, width + 1), '/') else 0 end;
                entry := case when slash > 0 then left(found.name, width + slash) else found.name end;
                stepped := slash > 0;
                if stepped then
                    lower_end := left(entry, -1) || '0';
                end if;
                if wanted = '' or left(lower(substr(entry, width + 1)), length(wanted)) = wanted then
                    passed := passed + 1;
                    if passed > skipped then
                        name := entry;
                        is_folder := stepped;
                        if not stepped then
                            id := found.id; updated_at := found.updated_at; created_at := found.created_at;
                            last_accessed_at := found.last_accessed_at; metadata := found.metadata;
                        else
                            id := null; updated_at := null; created_at := null; last_accessed_at := null; metadata := null;
                        end if;
                        return next;
                        given := given + 1;
                        if given >= entries then
                            return;
                        end if;
                    end if;
                end if;
                exit when stepped;
            end loop;
        end if;
        if not stepped then
            return;
        end if;
    end loop;
end $$;

-- A page of one folder, named relative to it. Sorted by a time, folders come first and all that is in the folder is read.
create function storage.search(
    prefix text, bucketname text, limits integer default 100, levels integer default 1, offsets integer default 0,
    search text default '', sortcolumn text default 'name', sortorder text default 'asc'
) returns table (
    name text, id uuid, updated_at timestamptz, created_at timestamptz, last_accessed_at timestamptz, metadata jsonb
) language plpgsql stable set search_path = '' as $$
#variable_conflict use_column
declare
    descending constant boolean := lower(sortorder) = 'desc';
    times constant text := case when lower(sortcolumn) in ('updated_at', 'created_at', 'last_accessed_at') then lower(sortcolumn) end;
begin
    if times is null then
        return query
            select rtrim(substr(w.name, length(prefix) + 1), '/'), w.id, w.updated_at, w.created_at, w.last_accessed_at, w.metadata
            from storage.walk(bucketname, prefix, true, '', limits, offsets, descending, search) w;
        return;
    end if;
    return query
        select rtrim(substr(w.name, length(prefix) + 1), '/'), w.id, w.updated_at, w.created_at, w.last_accessed_at, w.metadata
        from storage.walk(bucketname, prefix, true, '', 2147483647, 0, false, search) w
        order by not w.is_folder,
            case when not descending then case times when 'updated_at' then w.updated_at when 'created_at' then w.created_at
                else w.last_accessed_at end end,
            case when descending then case times when 'updated_at' then w.updated_at when 'created_at' then w.created_at
                else w.last_accessed_at end end desc,
            w.name collate "C"
        limit limits offset offsets;
end $$;

create function storage.search_v2(
    prefix text, bucket_name text, limits integer default 100, levels integer default 1, start_after text default '',
    sort_order text default 'asc', sort_column text default 'name', sort_column_after text default ''
) returns table (
    key text, name text, id uuid, updated_at timestamptz, created_at timestamptz, last_accessed_at timestamptz, metadata jsonb
) language plpgsql stable set search_path = '' as $$
#variable_conflict use_column
declare
    descending constant boolean := lower(sort_order) = 'desc';
    times constant text := case when lower(sort_column) in ('updated_at', 'created_at') then lower(sort_column) end;
    since constant timestamptz := coalesce(nullif(sort_column_after, '')::timestamptz, 'epoch');
begin
    if times is null then
        return query
            select storage.filename(rtrim(w.name, '/')), w.name, w.id, w.updated_at, w.created_at, w.last_accessed_at, w.metadata
            from storage.walk(bucket_name, prefix, true, start_after, limits, 0, descending, '') w;
        return;
    end if;
    return query
        select storage.filename(rtrim(f.name, '/')), f.name, f.id, f.updated_at, f.created_at, f.last_accessed_at, f.metadata
        from (
            select w.*, coalesce(date_trunc('milliseconds',
                case times when 'updated_at' then w.updated_at else w.created_at end), 'epoch') as at
            from storage.walk(bucket_name, prefix, true, '', 2147483647, 0, false, '') w) f
        where start_after = ''
            or not descending and (f.at, f.name collate "C") > (since, start_after)
            or descending and (f.at, f.name collate "C") < (since, start_after)
        order by case when not descending then f.at end, case when descending then f.at end desc,
            case when not descending then f.name collate "C" end, case when descending then f.name collate "C" end desc
        limit limits;
end $$;

create function storage.list_objects_with_delimiter(
    _bucket_id text, prefix_param text, delimiter_param text, max_keys integer default 100, start_after text default '',
    next_token text default '', sort_order text default 'asc'
) returns table (
    name text, id uuid, metadata jsonb, updated_at timestamptz, created_at timestamptz, last_accessed_at timestamptz
) language sql stable set search_path = '' as $$
    select w.name, w.id, w.metadata, w.updated_at, w.created_at, w.last_accessed_at
    from storage.walk(_bucket_id, coalesce(prefix_param, ''), delimiter_param = '/',
        coalesce(nullif(next_token, ''), start_after, ''), max_keys, 0, lower(sort_order) = 'desc', '') w
$$;

grant execute on all functions in schema storage to anon, authenticated, service_role, tenon_system;
revoke execute on function storage.count_usage(uuid, bigint, bigint), storage.keep_books(), storage.discard_upload(),
    storage.protect_delete(), storage.update_updated_at_column(), storage.known_keys(text[]) from anon, authenticated, service_role;
