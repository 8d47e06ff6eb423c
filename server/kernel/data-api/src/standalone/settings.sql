-- What the database says of the settings that may be set in it ($1, as pgrst.name): those of the role that is logged in
-- for all databases, then those for this one, then what was set in this transaction. What is read last stays.
select split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)
from (
  select unnest(s.setconfig) as setting, s.setdatabase::bigint as rank
  from pg_catalog.pg_db_role_setting s
  where s.setrole = (select r.oid from pg_catalog.pg_roles r where r.rolname = current_user)
    and s.setdatabase in (0, (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))
  union all
  select name || '=' || current_setting(name, true), 1::bigint << 40
  from unnest($1::text[]) name
  where current_setting(name, true) is not null
) said
where setting like 'pgrst.%'
order by rank
