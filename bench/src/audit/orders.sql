-- Two tables in the shape of purchase orders, with their indexes and policies; one is tracked.
update tenancy.memberships set role = 'owner' where role = 'viewer';
select kernel.module_schema('bench');
create table bench.plain (like purchasing.orders including all);
create table bench.tracked (like purchasing.orders including all);
select kernel.tenant_table('bench.plain', 'purchasing.orders.read', 'purchasing.orders.import', '{}'),
  kernel.tenant_table('bench.tracked', 'purchasing.orders.read', 'purchasing.orders.import', '{}');
insert into bench.plain (
  org_id, id, number, description, supplier_id, project, currency, original_value, current_value, billed_to_date,
  start_date, due_date, created_at, updated_at)
select o.id, ('00000000-0000-7000-a000-' || lpad(n::text, 12, '0'))::uuid, 'PO-' || (1700000 + n), 'Concrete works, lot ' || n % 40,
  ('00000000-0000-7000-9000-' || lpad((1 + n % 20)::text, 12, '0'))::uuid, 'Project ' || n % 30, 'EUR', 1000 + 37 * n,
  1000 + 37 * n, 29 * n, '2025-01-01', '2026-12-31', now() - make_interval(mins => n * 7919 % 100000), now()
from tenancy.organizations o, generate_series(1, 1000) n;
insert into bench.tracked (
  org_id, id, number, description, supplier_id, project, currency, original_value, current_value, billed_to_date,
  start_date, due_date, created_at, updated_at)
select org_id, id, number, description, supplier_id, project, currency, original_value, current_value, billed_to_date,
  start_date, due_date, created_at, updated_at
from bench.plain;
select audit.track('bench.tracked', omit => '{number_key,utilisation,updated_at}');
