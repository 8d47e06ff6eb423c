-- One exposed schema ($1) in full: its relations and functions with their comments, the types they are made of, and
-- which of them the current role may touch. One row with one JSON column. The search path is emptied first, so that
-- the catalogues print every name with its schema.
with recursive path as materialized (
  select pg_catalog.set_config('search_path', '', true) as emptied
), space as (
  select n.oid, n.nspname from pg_catalog.pg_namespace n where n.nspname = $1::text
), relation as (
  select c.oid, c.relname, c.relkind,
    pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
      or pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') as accessible,
    case when c.relkind in ('r', 'p') then 28 else pg_catalog.pg_relation_is_updatable(c.oid, true) end as events
  from pg_catalog.pg_class c
  where c.relnamespace = (select oid from space) and c.relkind in ('r', 'v', 'm', 'f', 'p') and not c.relispartition
), attribute as (
  select a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attidentity, a.attgenerated <> '' as generated,
    a.attnotnull or t.typnotnull as required, x.relkind,
    case when t.typnamespace <> 'pg_catalog'::regnamespace and t.typtype <> 'd' and a.atttypmod >= 0 then
      substr(pg_catalog.format_type(t.oid, a.atttypmod), length(pg_catalog.format_type(t.oid, null)) + 1) end as modifier,
    case when a.attgenerated = '' then pg_catalog.pg_get_expr(d.adbin, d.adrelid) end as expression,
    case when t.typbasetype <> 0 then t.typdefault end as inherited
  from relation x
  join pg_catalog.pg_attribute a on a.attrelid = x.oid and a.attnum > 0 and not a.attisdropped
  join pg_catalog.pg_type t on t.oid = a.atttypid
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
), columns as (
  select a.attrelid, json_agg(json_build_object(
    'name', a.attname,
    'type', a.atttypid::int8,
    'typmod', a.atttypmod,
    'modifier', a.modifier,
    'required', a.required,
    'default', coalesce(a.expression, a.inherited),
    'identity', nullif(a.attidentity, ''),
    'generated', a.generated,
    'updatable', a.relkind in ('r', 'p') or pg_catalog.pg_column_is_updatable(a.attrelid, a.attnum, true),
    'comment', pg_catalog.col_description(a.attrelid, a.attnum)
  ) order by a.attnum) as list
  from attribute a
  group by a.attrelid
), routine as (
  select p.oid, p.proname, p.provolatile, p.proretset, p.prorows, p.prorettype, p.pronargs, p.pronargdefaults,
    p.proargnames, p.proargmodes::text[] as modes,
    coalesce(p.proallargtypes, p.proargtypes::oid[]) as types
  from pg_catalog.pg_proc p
  where p.pronamespace = (select oid from space) and p.prokind = 'f'
    and p.prorettype not in ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)
), arguments as (
  select a.oid, json_agg(json_build_object(
    'name', coalesce(a.names[a.position], ''),
    'type', a.type::int8,
    'mode', a.mode,
    'required', a.inputs <= a.pronargs - a.pronargdefaults
  ) order by a.position) as list
  from (
    select r.oid, r.proargnames as names, r.pronargs, r.pronargdefaults, each.position, each.type,
      coalesce(each.mode, 'i') as mode,
      count(*) filter (where coalesce(each.mode, 'i') in ('i', 'b', 'v'))
        over (partition by r.oid order by each.position) as inputs
    from routine r
    cross join lateral unnest(r.types, r.modes) with ordinality each(type, mode, position)
  ) a
  group by a.oid
), used(oid) as (
  (
    select a.atttypid from attribute a
    union select unnest(r.types) from routine r
    union select r.prorettype from routine r
    union
    select t.oid from pg_catalog.pg_type t
    left join pg_catalog.pg_class c on c.oid = t.typrelid
    where t.typnamespace = (select oid from space) and (t.typtype = 'e' or c.relkind = 'c')
  )
  union
  select part.oid
  from used
  join pg_catalog.pg_type t on t.oid = used.oid
  left join pg_catalog.pg_class c on c.oid = t.typrelid and c.relkind = 'c'
  cross join lateral (
    select t.typelem as oid where t.typcategory = 'A' and t.typelem <> 0
    union all select t.typbasetype where t.typbasetype <> 0
    union all select a.atttypid from pg_catalog.pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ) part
), types as (
  select t.oid, json_build_object(
    'schema', n.nspname,
    'name', t.typname,
    'sql', case when n.nspname = 'pg_catalog' then pg_catalog.format_type(t.oid, null)
      else pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname) end,
    'kind', case
      when t.typcategory = 'A' and t.typelem <> 0 then 'array'
      when t.typtype = 'e' then 'enum'
      when t.typtype = 'd' then 'domain'
      when c.relkind = 'c' then 'composite'
      when t.typtype = 'c' then 'row'
      else 'base' end,
    'element', case when t.typcategory = 'A' then nullif(t.typelem, 0)::int8 end,
    'base', nullif(t.typbasetype, 0)::int8,
    'typmod', t.typtypmod,
    'relation', case when t.typtype = 'c' then c.relname end,
    'values', (select json_agg(e.enumlabel order by e.enumsortorder) from pg_catalog.pg_enum e where e.enumtypid = t.oid),
    'attributes', (
      select json_agg(json_build_object('name', a.attname, 'type', a.atttypid::int8) order by a.attnum)
      from pg_catalog.pg_attribute a
      where a.attrelid = c.oid and c.relkind = 'c' and a.attnum > 0 and not a.attisdropped)
  ) as value
  from used
  join pg_catalog.pg_type t on t.oid = used.oid
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  left join pg_catalog.pg_class c on c.oid = t.typrelid
)
select json_build_object(
  'schema', $1::text,
  'comment', (select pg_catalog.obj_description(oid, 'pg_namespace') from space),
  'relations', coalesce((
    select json_agg(json_build_object(
      'name', x.relname,
      'view', x.relkind in ('v', 'm'),
      'comment', pg_catalog.obj_description(x.oid, 'pg_class'),
      'accessible', x.accessible,
      'insertable', x.events & 8 = 8,
      'updatable', x.events & 4 = 4,
      'deletable', x.events & 16 = 16,
      'columns', coalesce(columns.list, '[]')
    ) order by x.relname)
    from relation x left join columns on columns.attrelid = x.oid), '[]'),
  'functions', coalesce((
    select json_agg(json_build_object(
      'name', r.proname,
      'comment', pg_catalog.obj_description(r.oid, 'pg_proc'),
      'accessible', pg_catalog.has_function_privilege(r.oid, 'EXECUTE'),
      'volatile', r.provolatile = 'v',
      'returns', r.prorettype::int8,
      'returns_set', r.proretset,
      'one_row', r.prorows = 1 or not r.proretset,
      'arguments', coalesce(arguments.list, '[]')
    ) order by r.proname, r.pronargs, r.oid)
    from routine r left join arguments on arguments.oid = r.oid), '[]'),
  'types', coalesce((select json_object_agg(types.oid, types.value) from types), '{}')
)
from path where emptied is not null
