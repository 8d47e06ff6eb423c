-- Comments on the exposed schemas ($1).
select coalesce(json_object_agg(n.nspname, pg_catalog.obj_description(n.oid, 'pg_namespace')), '{}')
from pg_catalog.pg_namespace n
where n.nspname = any($1::text[])
