-- Written rows are checked against the organisation and the permission once a statement, not once a row: a seventh of the
-- time of a bulk insert was the search in the list of permissions.

-- Declares a tenant table: row-level security enabled and forced, one permissive policy a command, rights for server
-- code (service_role) and, for the commands in `api`, for the data API (authenticated).
-- `read` and `write` are permissions; without `write` nobody but a migration may change rows.
-- `condition` is a further condition of every policy, on the row or the request's context.
create or replace function kernel.tenant_table(
    relation regclass,
    read text,
    write text default null,
    api text[] default '{select}',
    condition text default null
) returns void language plpgsql as $$
declare
    -- The permission is asked as a second equality on org_id, not as tenancy.can(): that would be a filter run for every
    -- row that spoils the planner's estimates, while equalities of one column become an index condition and a test that
    -- runs once a statement.
    wall constant text := 'org_id = tenancy.org_id() and org_id = tenancy.org_if(%L)';
    -- What rows are held to as they are written is never an index condition: there, only a subquery runs once.
    gate constant text := 'org_id = (select tenancy.org_id()) and org_id = (select tenancy.org_if(%L))';
    further constant text := coalesce(' and (' || condition || ')', '');
    may_read constant text := format(wall, read) || further;
    may_write constant text := format(wall, write) || further;
    may_leave constant text := format(gate, write) || further;
    command text;
begin
    if not exists (
        select from pg_attribute
        where attrelid = relation and attname = 'org_id' and attnotnull and atttypid = 'uuid'::regtype) then
        raise exception 'tenant table % needs a column org_id uuid not null', relation;
    end if;
    execute format('alter table %s enable row level security', relation);
    execute format('alter table %s force row level security', relation);
    execute format('create policy tenant_select on %s for select using (%s)', relation, may_read);
    execute format('grant select on %s to service_role', relation);
    if write is not null then
        execute format('create policy tenant_insert on %s for insert with check (%s)', relation, may_leave);
        execute format(
            'create policy tenant_update on %s for update using (%s) with check (%s)', relation, may_write, may_leave);
        execute format('create policy tenant_delete on %s for delete using (%s)', relation, may_write);
        execute format('grant insert, update, delete on %s to service_role', relation);
    end if;
    foreach command in array api loop
        if command not in ('select', 'insert', 'update', 'delete') then
            raise exception 'unknown command % in api', command;
        end if;
        execute format('grant %s on %s to authenticated', command, relation);
    end loop;
    insert into kernel.tables (relation, kind) values (relation, 'tenant');
end $$;

-- The tables there are.
do $$
declare
    found record;
begin
    for found in
        select p.polrelid::regclass as relation, p.polname as name, pg_get_expr(p.polwithcheck, p.polrelid) as checked
        from pg_policy p
        join kernel.tables t on t.relation = p.polrelid and t.kind = 'tenant'
        where p.polname in ('tenant_insert', 'tenant_update')
    loop
        execute format('alter policy %I on %s with check (%s)', found.name, found.relation, regexp_replace(
            found.checked, '(tenancy\.org_id\(\)|tenancy\.org_if\(''[^'']*''::text\))', '(select \1)', 'g'));
    end loop;
end $$;
