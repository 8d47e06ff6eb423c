-- Each supplier is looked up by one look into the index, whatever the planner knows of the table.
insert into purchasing.orders (
  org_id, id, number, description, supplier_id, project, currency, original_value, current_value,
  start_date, due_date, import_id, created_at, updated_at)
select $1, r.id, r.number, r.description, s.id, r.project, r.currency, r.value, r.value,
  r.start_date, r.due_date, $2, $3, $3
from unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::numeric[], $11::date[], $12::date[])
  r (id, number, description, supplier, project, currency, value, start_date, due_date)
cross join lateral (
  select id from purchasing.suppliers where org_id = $1 and name_key = lower(btrim(r.supplier)) offset 0
) s
