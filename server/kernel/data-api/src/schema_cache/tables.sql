-- Tables, views, materialised views, foreign and partitioned tables of the exposed schemas ($1), with their columns.
-- A relation belongs to tenants if it has org_id and every policy that lets rows through first compares it with the
-- context, as kernel.tenant_table() declares them, or if it is a view with org_id over such a relation.
with recursive exposed as (
  select c.oid, n.nspname, c.relname, c.relkind
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = any($1::text[]) and c.relkind in ('r', 'v', 'm', 'f', 'p') and not c.relispartition
), guarded as (
  select p.polrelid as oid
  from pg_catalog.pg_policy p
  where p.polpermissive
  group by p.polrelid
  having bool_and(
    coalesce(pg_catalog.pg_get_expr(coalesce(p.polqual, p.polwithcheck), p.polrelid), '')
      ~ '^\(?\(org_id = (tenancy\.org_id\(\)|\( SELECT tenancy\.org_id\(\) AS org_id\))\)($| AND )')
), tenant as (
  select oid from guarded
  union
  select r.ev_class
  from tenant g
  join pg_catalog.pg_depend d on d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = g.oid
    and d.classid = 'pg_catalog.pg_rewrite'::regclass
  join pg_catalog.pg_rewrite r on r.oid = d.objid and d.refobjid <> r.ev_class
), domain as (
  select t.oid, t.typbasetype as base, t.typtypmod as modifier, 1 as depth
  from pg_catalog.pg_type t where t.typtype = 'd'
  union all
  select d.oid, t.typbasetype, case when d.modifier = -1 then t.typtypmod else d.modifier end, d.depth + 1
  from domain d
  join pg_catalog.pg_type t on t.oid = d.base and t.typtype = 'd'
), base as (
  select distinct on (oid) oid, base, modifier from domain order by oid, depth desc
), columns as (
  select a.attrelid, json_agg(json_build_object(
    'name', a.attname,
    'type', case
      when t.typtype = 'b' and tn.nspname = 'pg_catalog' then pg_catalog.format_type(a.atttypid, a.atttypmod)
      when e.oid is not null and en.nspname <> 'pg_catalog'
        then pg_catalog.quote_ident(en.nspname) || '.' || pg_catalog.quote_ident(e.typname) || '[]'
      else pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.typname) end,
    'base_type', pg_catalog.format_type(coalesce(base.base, t.oid), null),
    'domain', t.typtype = 'd',
    'max_length', case when coalesce(base.base, t.oid) in ('pg_catalog.varchar'::regtype, 'pg_catalog.bpchar'::regtype)
      then nullif(coalesce(base.modifier, a.atttypmod), -1) - 4 end,
    'labels', case when b.typtype = 'e' then (
      select json_agg(l.enumlabel order by l.enumsortorder) from pg_catalog.pg_enum l where l.enumtypid = b.oid) end,
    'kind', case pg_catalog.format_type(coalesce(base.base, t.oid), null)
      when 'json' then 'json' when 'jsonb' then 'json' when 'tsvector' then 'tsvector' else 'other' end,
    'nullable', not a.attnotnull,
    'default', case
      when a.attidentity <> '' then pg_catalog.format('nextval(%L::regclass)',
        (
          -- Without pg_get_serial_sequence(), which wants rights on the schema.
          select pg_catalog.format('%I.%I', qn.nspname, q.relname)
          from pg_catalog.pg_depend o
          join pg_catalog.pg_class q on q.oid = o.objid and q.relkind = 'S'
          join pg_catalog.pg_namespace qn on qn.oid = q.relnamespace
          where o.classid = 'pg_catalog.pg_class'::regclass and o.refclassid = 'pg_catalog.pg_class'::regclass
            and o.refobjid = a.attrelid and o.refobjsubid = a.attnum and o.deptype = 'i'))
      when a.attgenerated = '' then
        coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.pg_get_expr(t.typdefaultbin, 0)) end,
    'generated', a.attgenerated <> '',
    'comment', pg_catalog.col_description(a.attrelid, a.attnum)
  ) order by a.attnum) as list
  from exposed x
  join pg_catalog.pg_attribute a on a.attrelid = x.oid and a.attnum > 0 and not a.attisdropped
  join pg_catalog.pg_type t on t.oid = a.atttypid
  join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
  left join base on base.oid = t.oid
  join pg_catalog.pg_type b on b.oid = coalesce(base.base, t.oid)
  left join pg_catalog.pg_type e on e.oid = t.typelem and t.typelem <> 0 and t.typcategory = 'A'
  left join pg_catalog.pg_namespace en on en.oid = e.typnamespace
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  group by a.attrelid
), keys as (
  select i.indrelid, json_agg(a.attname order by k.position) as list
  from pg_catalog.pg_index i
  cross join lateral unnest(i.indkey::int2[]) with ordinality k(attnum, position)
  join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where i.indisprimary and k.position <= i.indnkeyatts
  group by i.indrelid
)
select coalesce(json_agg(json_build_object(
  'schema', x.nspname,
  'name', x.relname,
  'comment', pg_catalog.obj_description(x.oid, 'pg_class'),
  'view', x.relkind in ('v', 'm'),
  'insertable', x.relkind in ('r', 'p') or (pg_catalog.pg_relation_is_updatable(x.oid, true) & 8) = 8,
  'updatable', x.relkind in ('r', 'p') or (pg_catalog.pg_relation_is_updatable(x.oid, true) & 4) = 4,
  'deletable', x.relkind in ('r', 'p') or (pg_catalog.pg_relation_is_updatable(x.oid, true) & 16) = 16,
  'tenant', exists (select from tenant where tenant.oid = x.oid) and exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = x.oid and a.attname = 'org_id' and a.atttypid = 'pg_catalog.uuid'::regtype and not a.attisdropped),
  'columns', coalesce(columns.list, '[]'),
  'primary_key', coalesce(keys.list, '[]')
) order by x.nspname, x.relname), '[]')
from exposed x
left join columns on columns.attrelid = x.oid
left join keys on keys.indrelid = x.oid
