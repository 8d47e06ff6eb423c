-- vals: 1 number, 2 description, 3 supplier, 4 project, 5 currency, 6 value, 7 start date, 8 due date
with r as materialized (
  select id, vals, lower(btrim(vals[3])) as supplier_key
  from imports.accepted_rows
  where org_id = $1 and import_id = $2 and sheet = 'orders' and row_no between $3 and $4
)
insert into purchasing.orders (
  org_id, id, number, description, supplier_id, project, currency, original_value, current_value,
  start_date, due_date, import_id, created_at, updated_at)
select $1, r.id, r.vals[1], r.vals[2], s.id, r.vals[4], r.vals[5], r.vals[6]::numeric, r.vals[6]::numeric,
  r.vals[7]::date, r.vals[8]::date, $2, $5, $5
from r
cross join lateral (
  select id from purchasing.suppliers where org_id = $1 and name_key = r.supplier_key offset 0
) s
