-- Only members are in a space by name: whoever is removed while somebody writes down who is in one is not in it afterwards.
create function tenancy.only_members() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    perform 1 from tenancy.memberships m where m.org_id = new.org_id and m.user_id = new.user_id for key share;
    return case when found then new end;
end $$;
create trigger only_members before insert on tenancy.space_members
    for each row execute function tenancy.only_members();

-- Those who left before spaces let go of them.
do $$
declare
    org uuid;
begin
    perform set_config('tenancy.permissions', ',access.spaces.read,access.spaces.manage,', true);
    for org in select o.id from tenancy.organizations o loop
        perform set_config('tenancy.org_id', org::text, true);
        delete from tenancy.space_members p where p.org_id = org and not exists (
            select from tenancy.memberships m where m.org_id = org and m.user_id = p.user_id);
    end loop;
    perform set_config('tenancy.org_id', '', true);
    perform set_config('tenancy.permissions', '', true);
end $$;
