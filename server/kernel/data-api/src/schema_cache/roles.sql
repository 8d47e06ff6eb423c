-- Settings of the roles that the connection may take, as ALTER ROLE left them: what PostgreSQL would set at their login.
-- Those of this database come after those of all, so that they win.
select coalesce(json_agg(json_build_array(r.rolname, split_part(each, '=', 1), substr(each, strpos(each, '=') + 1))
  order by s.setdatabase, r.rolname, position), '[]')
from pg_catalog.pg_db_role_setting s
join pg_catalog.pg_roles r on r.oid = s.setrole and pg_catalog.pg_has_role(session_user, r.oid, 'member')
cross join lateral unnest(s.setconfig) with ordinality setting(each, position)
left join pg_catalog.pg_settings known on known.name = split_part(each, '=', 1)
where (s.setdatabase = 0 or s.setdatabase = (
    select d.oid from pg_catalog.pg_database d where d.datname = current_database()))
  and (known.context = 'user'
    or known.context = 'superuser' and (select me.rolsuper from pg_catalog.pg_roles me where me.rolname = current_user)
    or known.context is null and strpos(each, '.') > 0)
