select n.nspname || '.' || c.relname, array_agg(a.attname::text order by a.attnum)
from kernel.tables t
join pg_class c on c.oid = t.relation
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
where c.relkind in ('r', 'p') and not c.relispartition and n.nspname || '.' || c.relname <> all ($1::text[])
group by 1
