-- Foreign keys of all schemas, since views show tables of schemas that are not exposed; column pairs in key order.
-- "unique": no two rows refer to the same row, because the key's columns are exactly those of a unique index.
with keys as (
  select k.oid, k.conname, k.conrelid, k.confrelid,
    (select array_agg(number order by number) from unnest(k.conkey) number) as source,
    (select json_agg(json_build_array(s.attname, t.attname) order by pair.position)
     from unnest(k.conkey, k.confkey) with ordinality pair(source, target, position)
     join pg_catalog.pg_attribute s on s.attrelid = k.conrelid and s.attnum = pair.source
     join pg_catalog.pg_attribute t on t.attrelid = k.confrelid and t.attnum = pair.target) as columns
  from pg_catalog.pg_constraint k
  where k.contype = 'f' and k.conparentid = 0
)
select coalesce(json_agg(json_build_object(
  'constraint', k.conname,
  'schema', sn.nspname,
  'table', sc.relname,
  'foreign_schema', tn.nspname,
  'foreign_table', tc.relname,
  'columns', k.columns,
  'unique', exists (
    select from pg_catalog.pg_index i
    where i.indrelid = k.conrelid and i.indisunique and i.indpred is null and i.indexprs is null
      and (select array_agg(number order by number)
           from unnest(i.indkey::int2[]) with ordinality part(number, position)
           where part.position <= i.indnkeyatts) = k.source)
) order by sn.nspname, sc.relname, k.conname), '[]')
from keys k
join pg_catalog.pg_class sc on sc.oid = k.conrelid
join pg_catalog.pg_namespace sn on sn.oid = sc.relnamespace
join pg_catalog.pg_class tc on tc.oid = k.confrelid
join pg_catalog.pg_namespace tn on tn.oid = tc.relnamespace
