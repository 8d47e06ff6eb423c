-- Each tracked table has a trigger of its own for updates, made from its columns: a comparison of two fields is a tenth of turning
-- both rows into JSON and looking through them.

create table audit.tracked (
    relation regclass primary key,
    org text not null,
    key text[] not null,
    omit text[] not null,
    hide text[] not null,
    tags text[] not null,
    made_for text
);
comment on table audit.tracked is 'Tables that write their changes to the trail, as audit.track was told';
comment on column audit.tracked.hide is 'Columns whose values are not told, by name; those that look like secrets are hidden besides';
comment on column audit.tracked.made_for is 'The name and columns that the trigger was made for';
select kernel.system_table('audit.tracked', 'written by functions of the owner');
revoke insert, update, delete on audit.tracked from tenon_system;

-- A table's name with its schema, wherever one looks from.
create function audit.name_of(relation regclass) returns text language sql stable as $$
    select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = relation
$$;

-- As before, and nothing stays nothing.
create or replace function audit.cut(value jsonb) returns jsonb language sql stable as $$
    select case when pg_column_size(value) > 8192 then jsonb_build_object(
        'cut', left(value #>> '{}', 500), 'length', length(value #>> '{}'),
        'sha256', encode(sha256(convert_to(value #>> '{}', 'UTF8')), 'hex')) else value end
$$;

-- What the triggers of a table were made for.
create function audit.shape(relation regclass) returns text language sql stable as $$
    select audit.name_of(relation) || ': ' || string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attcollation,
        ', ' order by a.attnum)
    from pg_attribute a where a.attrelid = relation and a.attnum > 0 and not a.attisdropped
$$;

-- How two values of a column are compared. Where equal values may look different (without case, for instance), or there is no
-- comparison, by how they are written.
create function audit.differ(named text, kind oid, collated oid) returns text language sql stable as $$
    select format(case
        when kind in ('uuid'::regtype, 'boolean'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'date'::regtype,
            'timestamptz'::regtype, 'timestamp'::regtype, 'bytea'::regtype, 'jsonb'::regtype)
            or kind in ('text'::regtype, 'varchar'::regtype)
                and (select c.collisdeterministic from pg_collation c where c.oid = collated)
            then 'new.%1$I is distinct from old.%1$I'
        else 'pg_catalog.to_jsonb(new.%1$I) is distinct from pg_catalog.to_jsonb(old.%1$I)' end, named)
$$;

-- Makes the triggers of a table anew if it has become another.
create function audit.attach(p_relation regclass) returns void language plpgsql as $$
declare
    t audit.tracked;
    shape constant text := audit.shape(p_relation);
    name constant text := 'changes_of_' || p_relation::oid;
    hidden text[];
    body text;
begin
    select * into strict t from audit.tracked where relation = p_relation for update;
    if t.made_for = shape then
        return;
    end if;
    hidden := t.hide || array(
        select attname::text from pg_attribute where attrelid = p_relation and attnum > 0 and not attisdropped
        and (atttypid = 'bytea'::regtype or attname ~ '(_hash|secret|password|token)') and attname <> all (t.hide));
    select string_agg(format(E'    if %s then\n        changed := changed || pg_catalog.jsonb_build_object(%L, %s);\n    end if;\n',
        audit.differ(attname, atttypid, attcollation), attname,
        case when attname = any (hidden) then '''["***", "***"]''::jsonb'
            else format('pg_catalog.jsonb_build_array(audit.cut(pg_catalog.to_jsonb(old.%1$I)), audit.cut(pg_catalog.to_jsonb(new.%1$I)))',
                attname) end), '' order by attnum)
    into body
    from pg_attribute where attrelid = p_relation and attnum > 0 and not attisdropped and attname <> all (t.omit);
    execute format('create or replace function audit.%I() returns trigger language plpgsql security definer set search_path = '''' as %L',
        name, format(E'\ndeclare\n    changed jsonb := ''{}'';\nbegin\n%s    if changed <> ''{}'' and new.%I is not null then\n'
        '        perform audit.put(new.%I%s, ''update'', %L, pg_catalog.concat_ws('','', %s), changed, null, %L);\n'
        '    end if;\n    return null;\nend ',
        body, t.org, t.org, '::uuid', audit.name_of(p_relation),
        -- As in the JSON of rows that come and go.
        (select string_agg(format('pg_catalog.to_jsonb(new.%I) operator(pg_catalog.#>>) ''{}''', k), ', ') from unnest(t.key) k), t.tags));
    execute format('revoke execute on function audit.%I() from public', name);
    execute format('drop trigger if exists audit_rows on %s', p_relation);
    execute format('drop trigger if exists audit_changes on %s', p_relation);
    execute format('create trigger audit_rows after insert or delete on %s for each row execute function audit.keep(%L, %L, %L, %L, %L, %L)',
        p_relation, audit.name_of(p_relation), t.org, t.key, t.omit, hidden, t.tags);
    execute format('create trigger audit_changes after update on %s for each row when (old operator(pg_catalog.*<>) new) '
        'execute function audit.%I()', p_relation, name);
    update audit.tracked set made_for = shape where relation = p_relation;
end $$;

-- Makes the triggers of all tables anew that have become others, and forgets those that are gone; gives how many there were.
create function audit.attach_all() returns int language plpgsql security definer set search_path = '' as $$
declare
    changed regclass;
    gone oid;
    made int := 0;
begin
    for gone in
        delete from audit.tracked t where not exists (select from pg_class c where c.oid = t.relation) returning t.relation::oid
    loop
        execute format('drop function if exists audit.%I()', 'changes_of_' || gone);
    end loop;
    for changed in select t.relation from audit.tracked t where t.made_for is distinct from audit.shape(t.relation) loop
        perform audit.attach(changed);
        made := made + 1;
    end loop;
    return made;
end $$;
revoke execute on function audit.attach_all() from public;
grant execute on function audit.attach_all() to tenon_system;

-- As before, for the trigger of rows that come and go.
create or replace function audit.keep() returns trigger language plpgsql security definer set search_path = '' as $$
declare
    keys constant text[] := tg_argv[2];
    omitted constant text[] := tg_argv[3];
    hidden constant text[] := tg_argv[4];
    known constant jsonb := case when tg_op = 'INSERT' then to_jsonb(new) else to_jsonb(old) end;
    changed jsonb;
begin
    select jsonb_object_agg(f.key, case
        when f.key = any (hidden) then case when tg_op = 'INSERT' then '[null, "***"]'::jsonb else '["***", null]' end
        when tg_op = 'INSERT' then jsonb_build_array(null, audit.cut(f.value))
        else jsonb_build_array(audit.cut(f.value), null) end)
    into changed
    from jsonb_each(jsonb_strip_nulls(known - omitted)) f;
    if known ->> tg_argv[1] is not null then
        perform audit.put((known ->> tg_argv[1])::uuid, lower(tg_op), tg_argv[0],
            concat_ws(',', known ->> keys[1], known ->> keys[2], known ->> keys[3]), coalesce(changed, '{}'), null, tg_argv[5]::text[]);
    end if;
    return null;
end $$;

-- As before; a second time, it says how it shall be from now on.
create or replace function audit.track(
    relation regclass, omit text[] default '{}', hide text[] default '{}', key text[] default null,
    org text default 'org_id', tags text[] default '{}'
) returns void language plpgsql as $$
declare
    columns constant text[] := array(
        select attname from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped);
    unknown constant text := (select name from unnest(omit || hide || key || org) name where name <> all (columns) limit 1);
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
    insert into audit.tracked as t values (relation, org, key, omit, hide, tags)
    on conflict on constraint tracked_pkey do update set
        org = excluded.org, key = excluded.key, omit = excluded.omit, hide = excluded.hide, tags = excluded.tags, made_for = null;
    perform audit.attach(relation);
end $$;

-- A table that is altered gets its triggers at once, where the owner may say so (a superuser); else at the next start of a server.
create function audit.altered() returns event_trigger language plpgsql security definer set search_path = '' as $$
begin
    if exists (select from pg_event_trigger_ddl_commands() c join audit.tracked t on t.relation = c.objid) then
        perform audit.attach_all();
    end if;
end $$;
do $$ begin
    if (select rolsuper from pg_roles where rolname = current_user) then
        create event trigger audit_altered on ddl_command_end when tag in ('ALTER TABLE') execute function audit.altered();
    end if;
end $$;

-- Tables that were tracked until now said so in their triggers' arguments.
do $$
declare
    old record;
begin
    for old in
        select t.tgrelid::regclass as relation, string_to_array(encode(t.tgargs, 'escape'), '\000') as said
        from pg_trigger t where t.tgname = 'audit_changes' and t.tgfoid = 'audit.keep'::regproc
    loop
        insert into audit.tracked values (
            old.relation, old.said[2], old.said[3]::text[], old.said[4]::text[], old.said[5]::text[], old.said[6]::text[]);
        perform audit.attach(old.relation);
    end loop;
end $$;
