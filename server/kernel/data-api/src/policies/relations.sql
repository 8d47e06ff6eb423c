-- Every relation that reading some relations reads, and as whom: below a view its owner, unless the view says otherwise;
-- below a policy whoever the policy is asked for. With the policies that hold for that role. $1 the relations, $2 the role.
with recursive touched(oid, reader) as (
  select c.oid, r.oid from unnest($1::text[]) named(name)
  join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(named.name)
  join pg_catalog.pg_roles r on r.rolname = $2
  union
  select next.oid, next.reader from touched t
  join pg_catalog.pg_class c on c.oid = t.oid
  cross join lateral (
    select d.refobjid, case when exists (select from unnest(c.reloptions) option(text)
        where option.text in ('security_invoker=true', 'security_invoker=on', 'security_invoker=1'))
      then t.reader else c.relowner end
    from pg_catalog.pg_rewrite w
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = w.oid
      and d.refclassid = 'pg_catalog.pg_class'::regclass
    where w.ev_class = c.oid and c.relkind = 'v'
    union all
    select d.refobjid, t.reader
    from pg_catalog.pg_policy p
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_policy'::regclass and d.objid = p.oid
      and d.refclassid = 'pg_catalog.pg_class'::regclass
    where p.polrelid = c.oid and c.relrowsecurity) next(oid, reader)
  where next.oid <> t.oid
)
select n.nspname::text, c.relname::text, c.relkind = 'v', c.relrowsecurity, c.relforcerowsecurity, r.rolname::text,
  coalesce(json_agg(json_build_object('name', p.polname, 'permissive', p.polpermissive,
      'roles', (select coalesce(json_agg(named.rolname order by named.rolname), '["public"]') from pg_catalog.pg_roles named
        where named.oid = any(p.polroles)),
      'expression', pg_catalog.pg_get_expr(p.polqual, p.polrelid))
    order by p.polpermissive desc, p.polname) filter (where p.oid is not null), '[]')
from touched t
join pg_catalog.pg_class c on c.oid = t.oid and c.relkind in ('r', 'p', 'v', 'f', 'm')
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_roles r on r.oid = t.reader
left join pg_catalog.pg_policy p on p.polrelid = c.oid and c.relrowsecurity and p.polcmd in ('r', '*')
  and exists (select from unnest(p.polroles) wanted(oid)
    where wanted.oid = 0 or pg_catalog.pg_has_role(t.reader, wanted.oid, 'usage'))
where n.nspname not in ('pg_catalog', 'information_schema')
group by n.nspname, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, r.rolname, t.reader
order by n.nspname, c.relname, r.rolname
