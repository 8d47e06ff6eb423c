select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f') and not c.relrowsecurity and not c.relispartition
    and not exists (select from kernel.tables t where t.relation = c.oid)
    and (has_table_privilege('anon', c.oid, 'select, insert, update, delete')
        or has_table_privilege('authenticated', c.oid, 'select, insert, update, delete'))
    and (has_schema_privilege('anon', c.relnamespace, 'usage') or has_schema_privilege('authenticated', c.relnamespace, 'usage'))
    and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
order by 1
