-- Relations of the schemas $1 that anon or authenticated may touch although no policy looks at their rows: tables without
-- row-level security, and views that look with their owner's eyes.
select pg_catalog.format('%I.%I', n.nspname, c.relname),
  case c.relkind
    when 'v' then 'the view is not declared WITH (security_invoker = true), so it shows what its owner may see'
    when 'm' then 'a materialised view has no row-level security'
    when 'f' then 'a foreign table has no row-level security'
    else 'row-level security is not enabled' end,
  pg_catalog.string_agg(r.rolname, ', ' order by r.rolname)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = any($1::text[])
join pg_catalog.pg_roles r on r.rolname in ('anon', 'authenticated')
  and pg_catalog.has_schema_privilege(r.oid, n.oid, 'usage')
  and (pg_catalog.has_table_privilege(r.oid, c.oid, 'select, insert, update, delete')
    or pg_catalog.has_any_column_privilege(r.oid, c.oid, 'select, insert, update'))
where case c.relkind
  when 'v' then not coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false)
  when 'r' then not c.relrowsecurity
  when 'p' then not c.relrowsecurity
  else c.relkind in ('m', 'f') end
group by n.nspname, c.relname, c.relkind
order by 1
