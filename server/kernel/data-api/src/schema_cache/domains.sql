-- What domains mean to the data API: media types that functions and aggregates of the exposed schemas ($1) return, and
-- how values of a domain are shown as JSON and read from text or JSON, by casts that are functions.
with media as (
  select d.oid, lower(d.typname) as media, b.typname as base
  from pg_catalog.pg_type d
  join pg_catalog.pg_type b on b.oid = d.typbasetype
  where d.typtype = 'd' and (d.typname = '*/*' or d.typname ~ '^[A-Za-z0-9.-]+/[A-Za-z0-9.+-]+$')
), handlers as (
  select json_build_object(
    'media', m.media,
    'base', m.base,
    'function', json_build_object('schema', n.nspname, 'name', p.proname),
    'relation', case when r.oid is not null then json_build_object('schema', rn.nspname, 'name', r.relname) end,
    'aggregate', true) as handler
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname = any($1::text[])
  join media m on m.oid = p.prorettype
  join pg_catalog.pg_type a on a.oid = p.proargtypes[0]
  left join pg_catalog.pg_class r on r.oid = a.typrelid and a.typtype = 'c' and r.relkind in ('r', 'v', 'm', 'f', 'p')
  left join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
  where p.prokind = 'a' and p.pronargs = 1
    and (r.oid is not null or a.oid = 'pg_catalog.anyelement'::regtype)
  union all
  select json_build_object(
    'media', m.media,
    'base', m.base,
    'function', json_build_object('schema', n.nspname, 'name', p.proname),
    'relation', null,
    'aggregate', false)
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname = any($1::text[])
  join media m on m.oid = p.prorettype
  where p.prokind = 'f' and not p.proretset
), casts as (
  select json_build_object(
    'domain', pg_catalog.quote_ident(dn.nspname) || '.' || pg_catalog.quote_ident(d.typname),
    'direction', case
      when c.castsource = d.oid then 'to_json'
      when c.castsource = 'pg_catalog.json'::regtype then 'from_json'
      else 'from_text' end,
    'function', json_build_object('schema', pn.nspname, 'name', p.proname)) as entry
  from pg_catalog.pg_cast c
  join pg_catalog.pg_type d on d.typtype = 'd'
    and ((d.oid = c.castsource and c.casttarget = 'pg_catalog.json'::regtype)
      or (d.oid = c.casttarget and c.castsource in ('pg_catalog.json'::regtype, 'pg_catalog.text'::regtype)))
  join pg_catalog.pg_namespace dn on dn.oid = d.typnamespace
  join pg_catalog.pg_proc p on p.oid = c.castfunc
  join pg_catalog.pg_namespace pn on pn.oid = p.pronamespace
  where c.castcontext = 'i' and c.castmethod = 'f' and pg_catalog.has_function_privilege(p.oid, 'execute')
)
select json_build_object(
  'handlers', (select coalesce(json_agg(handler), '[]') from handlers),
  'representations', (select coalesce(json_agg(entry), '[]') from casts),
  'geojson', (
    select json_build_object('schema', n.nspname, 'name', p.proname)
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where p.proname = 'st_asgeojson' and p.proargtypes[0] = 'pg_catalog.record'::regtype
    order by p.oid limit 1))
