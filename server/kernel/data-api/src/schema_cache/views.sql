-- What views show: the rule of every view of the exposed schemas ($1) and of every view under it, as PostgreSQL keeps it,
-- and the numbers and names of the relations and columns that these rules speak of.
with recursive wanted as (
  select c.oid
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = any($1::text[]) and c.relkind in ('v', 'm')
  union
  select c.oid
  from wanted w
  join pg_catalog.pg_rewrite r on r.ev_class = w.oid
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass
  join pg_catalog.pg_class c on c.oid = d.refobjid and c.relkind in ('v', 'm')
), rule as (
  select r.oid, r.ev_class, r.ev_action
  from wanted w
  join pg_catalog.pg_rewrite r on r.ev_class = w.oid and r.rulename = '_RETURN'
), spoken as (
  select oid from wanted
  union
  select d.refobjid
  from rule r
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass
)
select json_build_object(
  'rules', coalesce((select json_agg(json_build_object('view', r.ev_class::int8, 'action', r.ev_action::text)) from rule r), '[]'),
  'relations', coalesce((
    select json_agg(json_build_object(
      'oid', c.oid::int8,
      'schema', n.nspname,
      'name', c.relname,
      'columns', (
        select json_agg(json_build_array(a.attnum, a.attname) order by a.attnum)
        from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
      'primary_key', coalesce((
        select json_agg(a.attname order by k.position)
        from pg_catalog.pg_index i
        cross join lateral unnest(i.indkey::int2[]) with ordinality k(attnum, position)
        join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
        where i.indrelid = c.oid and i.indisprimary and k.position <= i.indnkeyatts), '[]')))
    from spoken s
    join pg_catalog.pg_class c on c.oid = s.oid and c.relkind in ('r', 'p', 'f', 'v', 'm')
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace), '[]'))
