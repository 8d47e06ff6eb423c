insert into purchasing.suppliers (org_id, id, name, created_at)
select o.id, ('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid, 'Supplier ' || n || ' Ltd', now()
from tenancy.organizations o, generate_series(1, 20) n
