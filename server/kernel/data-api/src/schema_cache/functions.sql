-- Functions of the exposed schemas ($1) that may be called: no aggregates, procedures or triggers. Of the schemas of the
-- search path ($2) those that take one row: they compute columns and relationships.
with recursive below as (
  select t.oid as domain, t.typbasetype as base from pg_catalog.pg_type t where t.typtype = 'd'
  union all
  select b.domain, t.typbasetype from below b join pg_catalog.pg_type t on t.oid = b.base and t.typtype = 'd'
), named as (
  select t.oid, t.typtype, t.typrelid,
    case
      when t.typtype = 'b' and n.nspname = 'pg_catalog' and (e.oid is null or en.nspname = 'pg_catalog')
        then pg_catalog.format_type(t.oid, null)
      when t.typtype = 'p' then pg_catalog.format_type(t.oid, null)
      when e.oid is not null and en.nspname <> 'pg_catalog'
        then pg_catalog.quote_ident(en.nspname) || '.' || pg_catalog.quote_ident(e.typname) || '[]'
      else pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname) end as name,
    r.relname, rn.nspname as relschema, r.oid is not null as composite
  from pg_catalog.pg_type t
  left join below on below.domain = t.oid
  left join pg_catalog.pg_type base on base.oid = below.base and base.typtype <> 'd'
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  left join pg_catalog.pg_type e on e.oid = t.typelem and t.typelem <> 0 and t.typcategory = 'A'
  left join pg_catalog.pg_namespace en on en.oid = e.typnamespace
  left join pg_catalog.pg_class r on r.oid = coalesce(base.typrelid, t.typrelid)
  left join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
  where below.domain is null or base.oid is not null
), arguments as (
  select p.oid, json_agg(json_build_object(
    'name', coalesce(p.proargnames[a.position], ''),
    'type', named.name,
    'relation', case when named.typtype = 'c' then json_build_object('schema', named.relschema, 'name', named.relname) end,
    'required', a.inputs <= p.pronargs - p.pronargdefaults,
    'variadic', coalesce(a.mode, 'i') = 'v',
    'record_type', case a.type
      when 'pg_catalog.bpchar'::regtype then 'bpchar' when 'pg_catalog.bpchar[]'::regtype then 'bpchar[]'
      when 'pg_catalog.bit'::regtype then 'varbit' when 'pg_catalog.bit[]'::regtype then 'varbit[]'
      else named.name end
  ) order by a.position) as list
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname = any($1::text[] || $2::text[])
  cross join lateral (
    select position, type, mode, row_number() over (order by position) as inputs
    from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes::text[])
      with ordinality as each(type, mode, position)
    where mode is null or mode in ('i', 'b', 'v')
  ) a
  join named on named.oid = a.type
  group by p.oid
)
select coalesce(json_agg(json_build_object(
  'schema', n.nspname,
  'name', p.proname,
  'comment', pg_catalog.obj_description(p.oid, 'pg_proc'),
  'volatile', p.provolatile = 'v',
  'settings', coalesce((
    select json_agg(json_build_array(split_part(each, '=', 1), substr(each, strpos(each, '=') + 1)) order by position)
    from unnest(p.proconfig) with ordinality setting(each, position)), '[]'),
  'returns_type', named.name,
  'args', coalesce(arguments.list, '[]'),
  'returns_set', p.proretset,
  'one_row', p.prorows = 1 or not p.proretset,
  'returns', case
    when p.prorettype = 'pg_catalog.void'::regtype then 'void'
    when named.composite or coalesce(p.proargmodes::text[] && '{t,b,o}', false) then 'composite'
    when p.prorettype = 'pg_catalog.record'::regtype then 'record'
    else 'scalar' end,
  'relation', case when named.composite then json_build_object('schema', named.relschema, 'name', named.relname) end
) order by n.nspname, p.proname, p.oid), '[]')
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join named on named.oid = p.prorettype
left join arguments on arguments.oid = p.oid
where (n.nspname = any($1::text[]) or n.nspname = any($2::text[]) and p.pronargs = 1
    and (select a.typrelid <> 0 from pg_catalog.pg_type a where a.oid = p.proargtypes[0]))
  and p.prokind = 'f'
  and p.prorettype not in ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)
