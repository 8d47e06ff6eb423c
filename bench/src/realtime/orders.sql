-- $2 orders in each of $1 organisations, the same ids in each.
with suppliers as (
  insert into purchasing.suppliers (org_id, id, name, created_at)
  select ('00000000-0000-7000-8000-' || lpad(o::text, 12, '0'))::uuid, '00000000-0000-7000-c000-000000000001', 'Supplier Ltd', now()
  from generate_series(1, $1::int) o
)
insert into purchasing.orders (
  org_id, id, number, description, supplier_id, project, currency, original_value, current_value, billed_to_date,
  start_date, due_date, created_at, updated_at)
select ('00000000-0000-7000-8000-' || lpad(o::text, 12, '0'))::uuid, ('00000000-0000-7000-a000-' || lpad(n::text, 12, '0'))::uuid,
  'PO-' || (1700000 + n), 'Concrete works, lot ' || n % 40, '00000000-0000-7000-c000-000000000001',
  'Project ' || n % 30, 'EUR', 1000 + 37 * n, 1000 + 37 * n, 29 * n, '2025-01-01', '2026-12-31', now(), now()
from generate_series(1, $1) o, generate_series(1, $2::int) n
