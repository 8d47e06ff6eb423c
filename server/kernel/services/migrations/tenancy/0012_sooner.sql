-- Policies ask these for every row. strpos counts the letters before what it finds, a microsecond in the list of an owner; split_part compares
-- bytes, and leaves the whole if there is nothing to split at.
create or replace function tenancy.can(permission text) returns boolean language sql stable parallel safe as $$
    select split_part(current_setting('tenancy.permissions', true), ',' || permission || ',', 1)
        <> current_setting('tenancy.permissions', true)
$$;
create or replace function tenancy.org_if(permission text) returns uuid language sql stable parallel safe as $$
    select case when split_part(current_setting('tenancy.permissions', true), ',' || permission || ',', 1)
            <> current_setting('tenancy.permissions', true)
        then nullif(current_setting('tenancy.org_id', true), '')::uuid end
$$;
create or replace function tenancy.in_space(space uuid) returns boolean language sql stable parallel safe as $$
    select current_setting('tenancy.spaces', true) = '*'
        or split_part(current_setting('tenancy.spaces', true), ',' || space::text || ',', 1)
            <> current_setting('tenancy.spaces', true)
$$;
