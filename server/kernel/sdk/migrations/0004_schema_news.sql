-- Says on the channel pgrst that relations, functions or types changed, so that the data API reads them anew once the
-- change is committed. Only a superuser may have event triggers; elsewhere whoever changes something says
-- NOTIFY pgrst, 'reload schema' after it.
create function kernel.tell_of_schema() returns event_trigger language plpgsql set search_path = '' as $$
begin
    if tg_event = 'sql_drop' then
        if exists (select from pg_catalog.pg_event_trigger_dropped_objects() d where not d.is_temporary
            and d.object_type in ('schema', 'table', 'view', 'materialized view', 'foreign table', 'table column', 'table constraint',
                'function', 'aggregate', 'type', 'domain', 'cast', 'index', 'policy')) then
            perform pg_catalog.pg_notify('pgrst', 'reload schema');
        end if;
    elsif exists (select from pg_catalog.pg_event_trigger_ddl_commands() c
        where c.schema_name is distinct from 'pg_temp' and not c.in_extension) then
        perform pg_catalog.pg_notify('pgrst', 'reload schema');
    end if;
end $$;

do $$
begin
    create event trigger tenon_schema_changed on ddl_command_end
        when tag in (
            'CREATE SCHEMA', 'ALTER SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE', 'CREATE INDEX',
            'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'CREATE VIEW', 'ALTER VIEW', 'CREATE MATERIALIZED VIEW',
            'ALTER MATERIALIZED VIEW', 'CREATE FUNCTION', 'ALTER FUNCTION', 'CREATE AGGREGATE', 'CREATE TYPE', 'ALTER TYPE',
            'CREATE DOMAIN', 'ALTER DOMAIN', 'CREATE CAST', 'CREATE POLICY', 'ALTER POLICY', 'GRANT', 'REVOKE', 'COMMENT')
        execute function kernel.tell_of_schema();
    create event trigger tenon_schema_dropped on sql_drop execute function kernel.tell_of_schema();
exception when insufficient_privilege then
    null;
end $$;
