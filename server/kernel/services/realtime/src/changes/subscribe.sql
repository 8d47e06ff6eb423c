with published as materialized (
    select p.relation, p.schema_name::text as schema_name, p.table_name::text as table_name from realtime.published() p
), found as (
    select w.number, w.schema_name <> '*' and w.table_name <> '*' as is_one, (
        select p.relation from published p
        where w.schema_name in ('*', p.schema_name) and w.table_name in ('*', p.table_name) limit 1) as relation
    from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) with ordinality as w (schema_name, table_name, number)
)
select f.relation, case when f.is_one then realtime.relation(f.relation) end, pg_catalog.pg_current_wal_insert_lsn()::text
from found f order by f.number
