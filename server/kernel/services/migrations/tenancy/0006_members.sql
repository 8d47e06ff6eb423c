-- Departments, invitations that are mailed and withdrawn, addresses that an organisation had before, and its end.
create table tenancy.departments (
    org_id uuid not null references tenancy.organizations (id) on delete cascade,
    id uuid not null,
    name text not null check (length(trim(name)) between 1 and 80),
    created_at timestamptz not null default now(),
    primary key (org_id, id),
    unique (org_id, name)
);
create unique index departments_name on tenancy.departments (org_id, lower(name));
comment on table tenancy.departments is 'Parts of an organisation that members belong to. A policy knows them by their name.';
select kernel.shared_table('tenancy.departments', 'named by memberships, which are read before the organisation of a request is known');

update tenancy.memberships set department = nullif(left(trim(department), 80), '') where department is not null;
insert into tenancy.departments (org_id, id, name)
select distinct on (org_id, lower(department)) org_id, gen_random_uuid(), department
from tenancy.memberships where department is not null
order by org_id, lower(department), created_at;
update tenancy.memberships m set department = d.name
from tenancy.departments d where d.org_id = m.org_id and lower(d.name) = lower(m.department) and d.name <> m.department;
alter table tenancy.memberships
    add foreign key (org_id, department) references tenancy.departments (org_id, name)
        on update cascade on delete set null (department);
create index memberships_department on tenancy.memberships (org_id, department) where department is not null;

alter table tenancy.invitations
    add column department text,
    add column language text not null default 'en',
    add column mailed_at timestamptz,
    add column revoked_at timestamptz,
    add foreign key (org_id, department) references tenancy.departments (org_id, name)
        on update cascade on delete set null (department);
comment on column tenancy.invitations.mailed_at is 'When the link last went out by mail; an invitation without an address has a link that its maker passes on.';
create index invitations_open on tenancy.invitations (org_id, created_at) where accepted_at is null and revoked_at is null;

-- What an organisation was called in addresses before: old links find it, and nobody else may take the name.
create table tenancy.former_slugs (
    slug text primary key,
    org_id uuid not null references tenancy.organizations (id) on delete cascade,
    given_up_at timestamptz not null
);
create index former_slugs_org on tenancy.former_slugs (org_id);
select kernel.shared_table('tenancy.former_slugs', 'read before the organisation of a request is known');

alter table tenancy.organizations
    add column home text check (home ~ '^/[a-z0-9/-]{0,199}$'),
    add column logo_tag text,
    add column delete_requested_by uuid references auth.users (id) on delete set null;
comment on column tenancy.organizations.home is 'The page that members see first, below the organisation''s address; null: the first they may see.';
comment on column tenancy.organizations.logo_tag is 'Hash of the logo, so that browsers know whether theirs is the newest.';
create index organizations_ending on tenancy.organizations (delete_after) where delete_after is not null;

-- Deletes all rows of tenant tables of the organisation in which the server works, those that refer to others first. Only for an
-- organisation whose time is over, and only as a whole.
create function tenancy.delete_rows() returns bigint language plpgsql security definer set search_path = '' as $$
declare
    org constant uuid := tenancy.org_id();
    pending oid[];
    chosen oid;
    remains boolean;
    rows_gone bigint;
    all_gone bigint := 0;
begin
    perform from tenancy.organizations o where o.id = org and o.delete_after <= now() for update;
    if not found then
        perform kernel.raise(409, 'tenancy.not_to_be_deleted', 'This organisation is not to be deleted.', null, null);
    end if;
    pending := array(
        select t.relation::oid from kernel.tables t join pg_catalog.pg_class c on c.oid = t.relation
        where t.kind = 'tenant' order by t.relation::text);
    while pg_catalog.cardinality(pending) > 0 loop
        select p.relation into chosen
        from unnest(pending) with ordinality p (relation, place)
        where not exists (
            select from pg_catalog.pg_constraint c
            where c.contype = 'f' and c.confrelid = p.relation and c.conrelid <> p.relation and c.conrelid = any (pending))
        order by p.place
        limit 1;
        if chosen is null then
            raise exception 'tenant tables refer to one another in a circle: %', pending::regclass[];
        end if;
        execute pg_catalog.format('delete from %s where org_id = $1', chosen::regclass) using org;
        get diagnostics rows_gone = row_count;
        all_gone := all_gone + rows_gone;
        -- Where the owner of the tables is no superuser, the wall holds for it, too.
        execute pg_catalog.format('select exists (select from %s where org_id = $1)', chosen::regclass) into remains using org;
        if remains then
            raise exception 'rows of % cannot be deleted', chosen::regclass;
        end if;
        pending := pg_catalog.array_remove(pending, chosen);
        chosen := null;
    end loop;
    return all_gone;
end $$;
grant execute on function tenancy.delete_rows() to service_role;

-- Deletes what the kernel itself knows of an organisation. The job that does this stays until it has finished.
create function tenancy.forget(p_org uuid, p_job uuid) returns void language plpgsql as $$
declare
    relation regclass;
begin
    delete from tenancy.organizations o where o.id = p_org and o.delete_after <= now();
    for relation in
        select t.relation from kernel.tables t
        join pg_class c on c.oid = t.relation and c.relkind in ('r', 'p')
        join pg_attribute a on a.attrelid = t.relation and a.attname = 'org_id' and not a.attisdropped
        where t.kind in ('shared', 'system')
    loop
        if relation = 'jobs.queue'::regclass then
            delete from jobs.queue q where q.org_id = p_org and q.id <> p_job;
        else
            execute format('delete from %s where org_id = $1', relation) using p_org;
        end if;
    end loop;
end $$;
grant execute on function tenancy.forget(uuid, uuid) to tenon_system;
