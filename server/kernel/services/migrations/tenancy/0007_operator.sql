-- The console of those who run the installation lists organisations and people, the newest first.
create index organizations_created on tenancy.organizations (created_at, id);
create index users_created on auth.users (created_at, id);
