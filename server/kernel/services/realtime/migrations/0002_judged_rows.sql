-- What it takes to judge a row of the log that does not carry all of its columns: of each column that is computed the expression and what
-- that looks at, of each policy the columns that it looks at.

create or replace function realtime.relation(p_table oid) returns jsonb
language sql stable security definer set search_path = '' as $$
    select pg_catalog.jsonb_build_object(
        'schema', n.nspname, 'name', c.relname,
        'kind', (select t.kind from kernel.tables t where t.relation = c.oid),
        'walled', c.relrowsecurity,
        'columns', (
            select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                'name', a.attname, 'type', t.typname,
                'base', coalesce(nullif(b.typname, ''), t.typname),
                'element', e.typname, 'delimiter', coalesce(e.typdelim, ','),
                'key', coalesce(a.attnum = any (k.conkey), false),
                'computed', case when a.attgenerated <> '' then pg_catalog.jsonb_build_object(
                    'expression', pg_catalog.format('(%s)::%s', pg_catalog.pg_get_expr(x.adbin, x.adrelid),
                        pg_catalog.format_type(a.atttypid, a.atttypmod)),
                    'columns', (
                        select coalesce(pg_catalog.jsonb_agg(distinct s.attname), '[]') from pg_catalog.pg_depend d
                        join pg_catalog.pg_attribute s on s.attrelid = c.oid and s.attnum = d.refobjsubid
                        where d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and d.objid = x.oid
                            and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = c.oid
                            and d.refobjsubid > 0 and d.refobjsubid <> a.attnum)) end
                ) order by a.attnum), '[]')
            from pg_catalog.pg_attribute a
            join pg_catalog.pg_type t on t.oid = a.atttypid
            left join pg_catalog.pg_type b on b.oid = t.typbasetype and t.typtype = 'd'
            left join pg_catalog.pg_type e on e.oid = coalesce(nullif(b.typelem, 0), t.typelem) and coalesce(b.typcategory, t.typcategory) = 'A'
            left join pg_catalog.pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
            left join pg_catalog.pg_attrdef x on x.adrelid = c.oid and x.adnum = a.attnum
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid = p_table
$$;

-- Which columns of a table a role may read, and the policies that wall its rows for it: null where nothing is walled. A policy that
-- names no columns, but the row, looks at all of them. `wall` is for processes of before.
create or replace function realtime.view_of(p_table oid, p_role name) returns jsonb
language sql stable security definer set search_path = '' as $$
    select pg_catalog.jsonb_build_object(
        'columns', coalesce((
            select pg_catalog.jsonb_agg(a.attname order by a.attnum) from pg_catalog.pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                and pg_catalog.has_column_privilege(p_role, c.oid, a.attnum, 'select')
                and pg_catalog.has_schema_privilege(p_role, c.relnamespace, 'usage')), '[]'),
        'wall', realtime.wall(c.oid, p_role, 'r'),
        'policies', case when c.relrowsecurity then (
            select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                'permissive', p.polpermissive,
                'condition', coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), 'true'),
                'whole', coalesce(p.polqual::text ~ ':varattno 0 ', false),
                'columns', (
                    select coalesce(pg_catalog.jsonb_agg(distinct a.attname), '[]') from pg_catalog.pg_depend d
                    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
                    where d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.objid = p.oid
                        and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = c.oid and d.refobjsubid > 0
                        -- Others are those of its condition for writing.
                        and p.polqual::text ~ pg_catalog.format(':varattno %s ', a.attnum))
                ) order by p.oid), '[]')
            from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polcmd in ('*', 'r')
                and (p.polroles = '{0}' or exists (select from pg_catalog.unnest(p.polroles) r
                    where pg_catalog.pg_has_role(p_role, r, 'usage')))) end)
    from pg_catalog.pg_class c where c.oid = p_table
$$;

-- A table of which only some columns are published cannot record whole rows: changing one would fail. From PostgreSQL 18 on neither can one
-- with computed columns.
create or replace function realtime.record_whole_rows() returns void language plpgsql security definer set search_path = '' as $$
declare
    found_table record;
begin
    for found_table in
        select c.oid::pg_catalog.regclass as name from pg_catalog.pg_publication_rel r
        join pg_catalog.pg_publication u on u.oid = r.prpubid and u.pubname = 'supabase_realtime'
        join pg_catalog.pg_class c on c.oid = r.prrelid
        where c.relrowsecurity and c.relreplident = 'd' and r.prattrs is null
            and (pg_catalog.current_setting('server_version_num')::int < 180000 or not exists (
                select from pg_catalog.pg_attribute a
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated <> ''))
            and exists (
            select from pg_catalog.pg_policy p
            join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.objid = p.oid
                and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = c.oid and d.refobjsubid > 0
            where p.polrelid = c.oid and p.polcmd in ('*', 'r') and not exists (
                select from pg_catalog.pg_constraint k
                where k.conrelid = c.oid and k.contype = 'p' and d.refobjsubid = any (k.conkey)))
    loop
        execute pg_catalog.format('alter table %s replica identity full', found_table.name);
    end loop;
end $$;
