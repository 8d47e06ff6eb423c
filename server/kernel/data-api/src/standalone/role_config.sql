-- The pgrst.* settings of the role that is logged in: those for all databases, then those for this one, so that the
-- latter are read last and stay.
select split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)
from pg_catalog.pg_db_role_setting s
cross join lateral unnest(s.setconfig) setting
where s.setrole = (select oid from pg_catalog.pg_roles where rolname = current_user)
  and s.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
  and setting like 'pgrst.%'
order by s.setdatabase
