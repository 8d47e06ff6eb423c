select t.relation::text from kernel.tables t join pg_class c on c.oid = t.relation
where (not c.relrowsecurity or t.kind = 'tenant' and not c.relforcerowsecurity)
    and t.relation not in ('kernel.tables'::regclass, 'kernel.migrations'::regclass)
order by 1
