-- 300 orders an organisation, of different age, value and supplier.
insert into purchasing.orders (
  org_id, id, number, description, supplier_id, project, currency, original_value, current_value, billed_to_date,
  start_date, due_date, created_at, updated_at)
select o.id, ('00000000-0000-7000-a000-' || lpad(n::text, 12, '0'))::uuid, 'PO-' || (1700000 + n),
  'Concrete works, lot ' || n % 40,
  ('00000000-0000-7000-9000-' || lpad((1 + n % 20)::text, 12, '0'))::uuid,
  'Project ' || n % 30, 'EUR', 1000 + 37 * n, 1000 + 37 * n, 29 * n, '2025-01-01', '2026-12-31',
  now() - make_interval(mins => n * 7919 % 100000), now()
from tenancy.organizations o, generate_series(1, 300) n
