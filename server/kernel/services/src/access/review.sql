with owners as (
    select u.id, m.created_at, coalesce(u.raw_user_meta_data ->> 'name', u.email, '') as name, u.email::text as email,
        case when m.barred_until > $2 then 'banned' when m.suspended_at is not null then 'suspended' else 'active' end as state,
        m.role, m.custom_role, m.custom_only,
        case when m.custom_only then ',tenancy.organization.read,' else v.permissions end || coalesce(c.permissions, '') as permissions
    from tenancy.memberships m
    join auth.users u on u.id = m.user_id
    join tenancy.organizations o on o.id = m.org_id
    join tenancy.role_variants v on v.role = m.role and v.disabled_apps = o.disabled_apps
    left join tenancy.roles c on c.org_id = m.org_id and c.id = m.custom_role
    where m.org_id = $1
), principals as (
    select 1 as sort, w.id, w.created_at as since, w.name, w.email, w.state, null::timestamptz as until,
        w.role, w.custom_role, w.custom_only, null::text[] as scopes
    from owners w
    where $4::text[] is null or w.custom_role = any ($6::uuid[])
        or case when w.custom_only then $7::boolean else w.role = any ($5::text[]) end
    union all
    select 2, k.id, k.created_at, k.name, null,
        case when k.kind = 'secret' and (m.suspended_at is not null or m.barred_until > $2) then 'maker_suspended' else 'active' end,
        k.expires_at, k.kind, null, false, string_to_array(trim(both ',' from k.permissions), ',')
    from tenancy.api_keys k
    left join tenancy.memberships m on m.org_id = $1 and m.user_id = k.created_by
    where k.org_id = $1 and k.kind <> 'personal' and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)
        and ($4 is null or string_to_array(trim(both ',' from k.permissions), ',') && $4)
    union all
    -- A token does what its owner may, within its scopes. Its name is its owner's own affair.
    select 3, k.id, k.created_at, k.prefix, w.email, w.state, k.expires_at, w.role, w.custom_role, w.custom_only, k.scopes
    from tenancy.api_keys k
    join owners w on w.id = k.user_id
    where (k.org_id = $1 or k.org_id is null) and k.kind = 'personal' and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > $2)
        and ($4 is null or exists (
            select from unnest($4) name
            where strpos(w.permissions, ',' || name || ',') > 0 and (k.scopes is null or name = any (k.scopes))))
    union all
    select 4, k.id, k.granted_at, a.client_name, w.email, w.state, null, w.role, w.custom_role, w.custom_only, null
    from auth.oauth_consents k
    join auth.oauth_clients a on a.id = k.client_id
    join owners w on w.id = k.user_id
    where k.revoked_at is null and ($11::boolean or 'api' = any (string_to_array(k.scopes, ' ')))
        and ($4 is null or w.custom_role = any ($9::uuid[])
            or case when w.custom_only then $10::boolean else w.role = any ($8::text[]) end)
    union all
    select 5, coalesce(u.id, s.id), s.started_at, coalesce(u.raw_user_meta_data ->> 'name', u.email, s.operator_name), u.email,
        'active', s.ends_at, 'support', null, false, null
    from tenancy.support_access s
    join auth.users u on u.id = s.operator and u.is_super_admin
    where s.org_id = $1 and s.ended_at is null and s.ends_at > $2 and ($4 is null or 'support' = any ($5))
)
select sort, id, since, name, email, state, until, role, custom_role, custom_only, scopes, count(*) over ()
from principals
where ($3::text = '' or strpos(lower(name || ' ' || coalesce(email, '')), lower($3)) > 0)
    and ($12::int is null or (sort, since, id) > ($12, $13::timestamptz, $14::uuid))
order by sort, since, id
limit $15::bigint offset $16::bigint
