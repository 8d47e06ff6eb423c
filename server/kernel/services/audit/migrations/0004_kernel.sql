-- The kernel's tables that say who may do what. Later modules declare theirs themselves.
select
    audit.track('tenancy.organizations', omit => '{logo_tag}', org => 'id'),
    audit.track('tenancy.memberships', omit => '{spaces,barred_until}'),
    audit.track('tenancy.roles', omit => '{granted,permissions,updated_at}'),
    audit.track('tenancy.api_keys', omit => '{last_used_at,permissions}'),
    audit.track('tenancy.invitations'),
    audit.track('tenancy.departments'),
    audit.track('tenancy.spaces'),
    audit.track('tenancy.space_members'),
    audit.track('tenancy.support_access');
