-- vals: 1 number, 2 description, 3 supplier, 4 project, 5 currency, 6 value, 7 start date, 8 due date
insert into purchasing.orders (
  org_id, id, number, description, supplier_id, project, currency, original_value, current_value,
  start_date, due_date, import_id, created_at, updated_at)
select $1, r.id, r.vals[1], r.vals[2], s.id, r.vals[4], r.vals[5], r.vals[6]::numeric, r.vals[6]::numeric,
  r.vals[7]::date, r.vals[8]::date, $2, $5, $5
from imports.accepted_rows r
join purchasing.suppliers s on s.org_id = $1 and s.name_key = lower(btrim(r.vals[3]))
where r.org_id = $1 and r.import_id = $2 and r.sheet = 'orders' and r.row_no between $3 and $4
