-- What writes entries: a trigger for tables, a call for actions.

-- Long values are told by their beginning, length and hash.
create function audit.cut(value jsonb) returns jsonb language sql stable as $$
    select case when pg_column_size(value) <= 8192 then value else jsonb_build_object(
        'cut', left(value #>> '{}', 500), 'length', length(value #>> '{}'),
        'sha256', encode(sha256(convert_to(value #>> '{}', 'UTF8')), 'hex')) end
$$;

-- Adds an entry, with who it was and where from, as the context of the transaction has it. An organisation that is gone, or on
-- its way out, has no trail of its end.
create function audit.put(
    p_org uuid, p_action text, p_relation text, p_row text, p_changes jsonb, p_details jsonb, p_tags text[]
) returns void language plpgsql as $$
declare
    origin jsonb := nullif(current_setting('request.origin', true), '')::jsonb;
    claimed constant text := nullif(current_setting('request.jwt.claim.role', true), '');
    within constant text := nullif(current_setting('tenancy.org_id', true), '');
    person uuid := nullif(current_setting('request.jwt.claim.sub', true), '')::uuid;
    visit uuid := nullif(current_setting('tenancy.visit', true), '')::uuid;
    kind text;
begin
    if within is null and claimed is null and origin ? 'user' then
        -- The kernel's own work for a request.
        person := (origin ->> 'user')::uuid;
        visit := (
            select s.id from tenancy.support_access s
            where s.org_id = p_org and s.operator = person and s.ended_at is null and s.ends_at > now()
                and not exists (select from tenancy.memberships m where m.org_id = p_org and m.user_id = person)
            order by s.started_at desc limit 1);
    end if;
    kind := case
        when claimed = 'service_role' or origin ->> 'role' = 'service_role' then 'server'
        when person is not null then 'user'
        when claimed = 'authenticated' or origin ? 'key' then 'key'
        when claimed = 'anon' or origin is not null then 'visitor'
        when within is not null or nullif(current_setting('tenancy.reason', true), '') is not null then 'server'
        else 'database' end;
    if kind = 'database' then
        origin := jsonb_build_object('login', session_user, 'program', current_setting('application_name'));
    end if;
    -- Where the owner is no superuser, it is held to the organisation of the context.
    if within is distinct from p_org::text then
        perform set_config('tenancy.org_id', p_org::text, true);
    end if;
    insert into audit.entries (
        org_id, class, actor_kind, actor, visit, action, relation, row_key, changes, details, tags, origin)
    select o.id, o.trail, kind, coalesce(person, (origin ->> 'key')::uuid), visit, p_action, p_relation, p_row, p_changes, p_details,
        coalesce(p_tags, '{}'), origin - 'user'
    from tenancy.organizations o
    where o.id = p_org and (o.delete_after is null or o.delete_after > now());
    if within is distinct from p_org::text then
        perform set_config('tenancy.org_id', coalesce(within, ''), true);
    end if;
end $$;

-- The trigger. Its arguments: the table's name, the column with the organisation, the columns of the key, those left out, those
-- whose values are hidden, tags.
create function audit.keep() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    keys constant text[] := tg_argv[2];
    omitted constant text[] := tg_argv[3];
    hidden constant text[] := tg_argv[4];
    earlier jsonb;
    known jsonb;
    changed jsonb;
begin
    if tg_op = 'UPDATE' then
        earlier := to_jsonb(old);
        known := to_jsonb(new);
        select jsonb_object_agg(f.key, case when f.key = any (hidden) then '["***", "***"]'
            else jsonb_build_array(audit.cut(earlier -> f.key), audit.cut(f.value)) end)
        into changed
        from jsonb_each(known - omitted) f
        where f.value is distinct from earlier -> f.key;
    else
        known := case when tg_op = 'INSERT' then to_jsonb(new) else to_jsonb(old) end;
        select jsonb_object_agg(f.key, case
            when f.key = any (hidden) then case when tg_op = 'INSERT' then '[null, "***"]'::jsonb else '["***", null]' end
            when tg_op = 'INSERT' then jsonb_build_array(null, audit.cut(f.value))
            else jsonb_build_array(audit.cut(f.value), null) end)
        into changed
        from jsonb_each(jsonb_strip_nulls(known - omitted)) f;
        changed := coalesce(changed, '{}');
    end if;
    if changed is not null and known ->> tg_argv[1] is not null then
        perform audit.put((known ->> tg_argv[1])::uuid, lower(tg_op), tg_argv[0],
            concat_ws(',', known ->> keys[1], known ->> keys[2], known ->> keys[3]), changed, null, tg_argv[5]::text[]);
    end if;
    return null;
end $$;

-- Has a table write its changes to the trail; called in the migration of whoever owns it. Columns of `omit` are left out, of those
-- in `hide`, and of bytes, hashes, secrets and tokens, it is only told that they changed. Rows of a table that belongs to nobody have
-- no entry. Not for tables that a loader fills: its rows pass by triggers, so the load is recorded as one action.
create function audit.track(
    relation regclass, omit text[] default '{}', hide text[] default '{}', key text[] default null,
    org text default 'org_id', tags text[] default '{}'
) returns void language plpgsql as $$
declare
    columns constant text[] := array(
        select attname from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped);
    unknown constant text := (select name from unnest(omit || hide || key || org) name where name <> all (columns) limit 1);
    hidden constant text[] := hide || array(
        select attname::text from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped
        and (atttypid = 'bytea'::regtype or attname ~ '(_hash|secret|password|token)') and attname <> all (hide));
    arguments text;
begin
    if unknown is not null then
        raise exception 'table % has no column %', relation, unknown;
    end if;
    key := coalesce(key, array(
        select a.attname::text from pg_index i cross join unnest(i.indkey) with ordinality k (number, place)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
        where i.indrelid = relation and i.indisprimary and a.attname <> org order by k.place));
    if cardinality(key) = 0 then
        key := array[org];
    elsif cardinality(key) > 3 then
        raise exception 'the key of % has more than three columns', relation;
    end if;
    arguments := format('%L, %L, %L, %L, %L, %L', relation::text, org, key, omit, hidden, tags);
    execute format('drop trigger if exists audit_rows on %s', relation);
    execute format('drop trigger if exists audit_changes on %s', relation);
    execute format('create trigger audit_rows after insert or delete on %s for each row execute function audit.keep(%s)',
        relation, arguments);
    execute format('create trigger audit_changes after update on %s for each row when (old.* is distinct from new.*) '
        'execute function audit.keep(%s)', relation, arguments);
end $$;

-- What server code calls: the organisation is that of its transaction, whatever it says.
create function audit.record(p_action text, p_relation text, p_row text, p_details jsonb, p_tags text[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
    if tenancy.org_id() is null then
        raise exception 'an entry of the trail needs an organisation';
    end if;
    perform audit.put(tenancy.org_id(), p_action, p_relation, p_row, null, audit.cut(p_details), p_tags);
end $$;
grant execute on function audit.record(text, text, text, jsonb, text[]) to service_role;

create function audit.record_in(p_org uuid, p_action text, p_relation text, p_row text, p_details jsonb, p_tags text[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
    perform audit.put(p_org, p_action, p_relation, p_row, null, audit.cut(p_details), p_tags);
end $$;
grant execute on function audit.record_in(uuid, text, text, text, jsonb, text[]) to tenon_system;
