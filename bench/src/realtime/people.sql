-- $1 organisations of $2 people each; the people of organisation n are numbered from n * $2. Their ids follow from their numbers.
with people as (
  insert into auth.users (id, email, is_anonymous, raw_app_meta_data, raw_user_meta_data)
  select ('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid, 'person' || n || '@example.com', false, '{}', '{}'
  from generate_series($2::int, ($1::int + 1) * $2 - 1) n
),
made as (
  insert into tenancy.organizations (id, slug, name, created_by)
  select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'bench-' || n, 'Bench ' || n,
    ('00000000-0000-7000-9000-' || lpad((n * $2)::text, 12, '0'))::uuid
  from generate_series(1, $1) n
)
insert into tenancy.memberships (org_id, user_id, role)
select ('00000000-0000-7000-8000-' || lpad((n / $2)::text, 12, '0'))::uuid, ('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid, 'member'
from generate_series($2, ($1 + 1) * $2 - 1) n
