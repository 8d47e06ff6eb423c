-- Organisations of one person ($1). Their ids follow from their numbers, so that pgbench can name one at random.
with made as (
  insert into tenancy.organizations (id, slug, name, created_by)
  select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'bench-' || n, 'Bench ' || n, $1
  from generate_series(1, $2::int) n
  returning id
)
insert into tenancy.memberships (org_id, user_id, role) select id, $1, 'viewer' from made
