-- What SQL written for Supabase Realtime finds: the table whose policies authorise private channels, the functions that send from
-- the database, and the publications that are read.
create table realtime.messages (
    topic text not null,
    extension text not null,
    payload jsonb,
    event text,
    private boolean default false,
    updated_at timestamp not null default (now() at time zone 'utc'),
    inserted_at timestamp not null default (now() at time zone 'utc'),
    id uuid not null default gen_random_uuid(),
    binary_payload bytea,
    -- The organisation whose channels it is for; null: those that belong to none.
    org_id uuid default tenancy.org_id(),
    primary key (id, inserted_at)
);
create index messages_replay on realtime.messages (org_id, topic, inserted_at desc)
    where extension = 'broadcast' and private is true;
create index messages_age on realtime.messages (inserted_at);
comment on table realtime.messages is 'Broadcasts sent by SQL, kept for replay; its policies decide who may join and write to private channels';
select kernel.shared_table('realtime.messages', 'policies of the operator''s own decide; a row is for the channels of one organisation');
grant select, insert, update on realtime.messages to anon, authenticated, service_role;
create policy "service_role sees all" on realtime.messages to service_role using (true) with check (true);
-- Whatever policies of the operator's own let in: nobody is told what another organisation's channels carry.
create policy "of one organisation" on realtime.messages as restrictive to anon, authenticated, service_role
    using (org_id is not distinct from tenancy.org_id()) with check (org_id is not distinct from tenancy.org_id());
grant usage on schema realtime to anon, authenticated, service_role;

create function realtime.topic() returns text language sql stable parallel safe as $$
    select nullif(current_setting('realtime.topic', true), '')::text
$$;
comment on function realtime.topic is 'The topic of the channel that is joined or written to; for policies on realtime.messages';

-- A failure never undoes the change that wanted to tell of itself: it is a warning in the log.
create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
language plpgsql as $$
declare
    message_id constant uuid := pg_catalog.gen_random_uuid();
begin
    perform pg_catalog.set_config('realtime.topic', send.topic, true);
    insert into realtime.messages (id, payload, event, topic, private, extension)
    values (message_id, case when pg_catalog.jsonb_typeof(send.payload) = 'object' and not send.payload ? 'id'
        then pg_catalog.jsonb_set(send.payload, '{id}', pg_catalog.to_jsonb(message_id)) else send.payload end,
        send.event, send.topic, send.private, 'broadcast');
exception when others then
    raise warning 'ErrorSendingBroadcastMessage: %', sqlerrm;
end $$;

create function realtime.send_binary(payload bytea, event text, topic text, private boolean default true) returns void
language plpgsql as $$
begin
    perform pg_catalog.set_config('realtime.topic', send_binary.topic, true);
    insert into realtime.messages (binary_payload, event, topic, private, extension)
    values (send_binary.payload, send_binary.event, send_binary.topic, send_binary.private, 'broadcast');
exception when others then
    raise warning 'ErrorSendingBroadcastMessage: %', sqlerrm;
end $$;

create function realtime.broadcast_changes(
    topic_name text, event_name text, operation text, table_name text, table_schema text, new record, old record,
    level text default 'ROW') returns void
language plpgsql as $$
begin
    if level = 'STATEMENT' then
        raise exception 'function can only be triggered for each row, not for each statement';
    end if;
    if operation not in ('INSERT', 'UPDATE', 'DELETE') then
        raise exception 'Unexpected operation type: %', operation;
    end if;
    perform realtime.send(
        pg_catalog.jsonb_build_object('old_record', old, 'record', new, 'operation', operation, 'table', table_name,
            'schema', table_schema),
        event_name, topic_name);
end $$;

grant execute on function
    realtime.topic(), realtime.send(jsonb, text, text, boolean), realtime.send_binary(bytea, text, text, boolean),
    realtime.broadcast_changes(text, text, text, text, text, record, record, text)
    to anon, authenticated, service_role, tenon_system;

-- How the rows of a table are walled for a role: its policies for one command as one condition, null where nothing is walled, and
-- false where nobody is let in. Names are written in full, since the search path is empty.
create function realtime.wall(p_table oid, p_role name, p_command "char") returns text
language sql stable security definer set search_path = '' as $$
    select case
        when not c.relrowsecurity then null
        else coalesce(
            (select '(' || pg_catalog.string_agg('(' || coalesce(e.condition, 'true') || ')', ' or ') || ')' from (
                select case when p_command = 'a' then pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
                    else pg_catalog.pg_get_expr(p.polqual, p.polrelid) end as condition
                from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('*', p_command)
                    and (p.polroles = '{0}' or exists (select from pg_catalog.unnest(p.polroles) r
                        where pg_catalog.pg_has_role(p_role, r, 'usage')))) e
            ), 'false')
            || coalesce((
                select pg_catalog.string_agg(' and (' || coalesce(e.condition, 'true') || ')', '') from (
                    select case when p_command = 'a' then pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
                        else pg_catalog.pg_get_expr(p.polqual, p.polrelid) end as condition
                    from pg_catalog.pg_policy p where p.polrelid = c.oid and not p.polpermissive and p.polcmd in ('*', p_command)
                        and (p.polroles = '{0}' or exists (select from pg_catalog.unnest(p.polroles) r
                            where pg_catalog.pg_has_role(p_role, r, 'usage')))) e), '')
        end
    from pg_catalog.pg_class c where c.oid = p_table
$$;

-- A table as changes of it are read: its columns, what their types are called and of which kind they are, and which are its key.
create function realtime.relation(p_table oid) returns jsonb
language sql stable security definer set search_path = '' as $$
    select pg_catalog.jsonb_build_object(
        'schema', n.nspname, 'name', c.relname,
        'kind', (select t.kind from kernel.tables t where t.relation = c.oid),
        'walled', c.relrowsecurity,
        'columns', (
            select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                'name', a.attname, 'type', t.typname,
                'base', coalesce(nullif(b.typname, ''), t.typname),
                'element', e.typname, 'delimiter', coalesce(e.typdelim, ','),
                'key', coalesce(a.attnum = any (k.conkey), false)) order by a.attnum), '[]')
            from pg_catalog.pg_attribute a
            join pg_catalog.pg_type t on t.oid = a.atttypid
            left join pg_catalog.pg_type b on b.oid = t.typbasetype and t.typtype = 'd'
            left join pg_catalog.pg_type e on e.oid = coalesce(nullif(b.typelem, 0), t.typelem) and coalesce(b.typcategory, t.typcategory) = 'A'
            left join pg_catalog.pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid = p_table
$$;

-- Which columns of a table a role may read, and how its rows are walled for it.
create function realtime.view_of(p_table oid, p_role name) returns jsonb
language sql stable security definer set search_path = '' as $$
    select pg_catalog.jsonb_build_object(
        'columns', coalesce((
            select pg_catalog.jsonb_agg(a.attname order by a.attnum) from pg_catalog.pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                and pg_catalog.has_column_privilege(p_role, c.oid, a.attnum, 'select')
                and pg_catalog.has_schema_privilege(p_role, c.relnamespace, 'usage')), '[]'),
        'wall', realtime.wall(c.oid, p_role, 'r'))
    from pg_catalog.pg_class c where c.oid = p_table
$$;

-- The tables that are published for changes.
create function realtime.published() returns table (relation oid, schema_name name, table_name name)
language sql stable security definer set search_path = '' as $$
    select c.oid, n.nspname, c.relname from pg_catalog.pg_publication_tables p
    join pg_catalog.pg_namespace n on n.nspname = p.schemaname
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
    where p.pubname = 'supabase_realtime'
$$;
revoke all on function realtime.wall(oid, name, "char"), realtime.relation(oid), realtime.view_of(oid, name), realtime.published()
    from public;
grant execute on function realtime.wall(oid, name, "char"), realtime.relation(oid), realtime.view_of(oid, name), realtime.published()
    to tenon_system;

do $$
begin
    if not exists (select from pg_catalog.pg_publication p where p.pubname = 'supabase_realtime') then
        create publication supabase_realtime;
    end if;
    if not exists (select from pg_catalog.pg_publication p where p.pubname = 'supabase_realtime_messages_publication') then
        create publication supabase_realtime_messages_publication for table realtime.messages with (publish = 'insert');
    end if;
end $$;

-- Publishes a table, and records as much of a row that is changed or removed as its policies look at: what they cannot see, nobody
-- is told of.
create function realtime.record_whole_rows() returns void language plpgsql security definer set search_path = '' as $$
declare
    found_table record;
begin
    for found_table in
        select c.oid::pg_catalog.regclass as name from pg_catalog.pg_publication_rel r
        join pg_catalog.pg_publication u on u.oid = r.prpubid and u.pubname = 'supabase_realtime'
        join pg_catalog.pg_class c on c.oid = r.prrelid
        where c.relrowsecurity and c.relreplident = 'd' and exists (
            select from pg_catalog.pg_policy p
            join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.objid = p.oid
                and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = c.oid and d.refobjsubid > 0
            where p.polrelid = c.oid and p.polcmd in ('*', 'r') and not exists (
                select from pg_catalog.pg_constraint k
                where k.conrelid = c.oid and k.contype = 'p' and d.refobjsubid = any (k.conkey)))
    loop
        execute pg_catalog.format('alter table %s replica identity full', found_table.name);
    end loop;
end $$;

create function realtime.record_whole_rows_again() returns event_trigger
language plpgsql security definer set search_path = '' as $$
begin
    perform realtime.record_whole_rows();
end $$;

do $$
begin
    create event trigger tenon_record_whole_rows on ddl_command_end
        when tag in ('ALTER PUBLICATION', 'CREATE PUBLICATION', 'CREATE POLICY', 'ALTER POLICY', 'ALTER TABLE')
        execute function realtime.record_whole_rows_again();
    create event trigger tenon_publication_changed on ddl_command_end when tag in ('ALTER PUBLICATION', 'CREATE PUBLICATION')
        execute function kernel.tell_of_schema();
exception when insufficient_privilege then
    null; -- only a superuser may; elsewhere docs/REALTIME.md says what to do
end $$;

-- Slots of processes that are gone are dropped once they have been idle for so many seconds, or hold back more of the log than so many
-- bytes; of those in use the ones that hold back more are told of. When a slot was last read is known from PostgreSQL 17 on; before
-- it is written down here.
create table realtime.idle_slots (slot name primary key, since timestamptz not null default now());
select kernel.system_table('realtime.idle_slots', 'names of replication slots');

create function realtime.look_after_slots(p_own text, p_idle_seconds bigint, p_most_bytes bigint)
returns table (slot text, dropped boolean, held bigint) language plpgsql security definer set search_path = '' as $$
declare
    looked_at record;
begin
    delete from realtime.idle_slots i where not exists (
        select from pg_catalog.pg_replication_slots s where s.slot_name = i.slot and not s.active);
    for looked_at in
        select s.slot_name, s.active, s.wal_status,
            coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn), 0)::bigint as held
        from pg_catalog.pg_replication_slots s
        where s.database = pg_catalog.current_database() and s.slot_name like 'tenon\_realtime\_%'
    loop
        slot := looked_at.slot_name;
        held := looked_at.held;
        dropped := false;
        if not looked_at.active and looked_at.slot_name <> p_own then
            insert into realtime.idle_slots (slot) values (looked_at.slot_name) on conflict do nothing;
            if looked_at.held > p_most_bytes or looked_at.wal_status = 'lost' or exists (
                select from realtime.idle_slots i where i.slot = looked_at.slot_name
                    and i.since < pg_catalog.now() - pg_catalog.make_interval(secs => p_idle_seconds)) then
                dropped := realtime.drop_slot(looked_at.slot_name);
            end if;
        end if;
        if dropped or looked_at.held > p_most_bytes then
            return next;
        end if;
    end loop;
end $$;

-- False where it is not there, or somebody reads it.
create function realtime.drop_slot(p_slot text) returns boolean language plpgsql security definer set search_path = '' as $$
begin
    perform pg_catalog.pg_drop_replication_slot(s.slot_name) from pg_catalog.pg_replication_slots s
    where s.slot_name = p_slot and s.slot_name like 'tenon\_realtime\_%' and s.database = pg_catalog.current_database();
    return found;
exception when object_in_use or undefined_object then
    return false;
end $$;
revoke all on function realtime.look_after_slots(text, bigint, bigint), realtime.drop_slot(text) from public;
grant execute on function realtime.look_after_slots(text, bigint, bigint), realtime.drop_slot(text) to tenon_system;

-- Messages that are too old to be asked for again, some at a time.
create function realtime.forget_messages(p_before timestamptz) returns bigint
language sql security definer set search_path = '' as $$
    with gone as (
        delete from realtime.messages m where m.ctid = any (array(
            select o.ctid from realtime.messages o where o.inserted_at < (p_before at time zone 'utc')
            order by o.inserted_at limit 10000))
        returning 1)
    select pg_catalog.count(*) from gone
$$;
revoke all on function realtime.forget_messages(timestamptz) from public;
grant execute on function realtime.forget_messages(timestamptz) to tenon_system;
