insert into purchasing.orders (
  org_id, id, number, description, supplier_id, project, currency, original_value, current_value,
  start_date, due_date, created_at, updated_at)
select $1, o.id, o.number, o.description, s.id, o.project, o.currency, o.value, o.value,
  o.start_date, o.due_date, o.created_at, o.created_at
from unnest(
  $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::numeric[], $9::date[], $10::date[],
  $11::timestamptz[])
  o (id, number, description, supplier, project, currency, value, start_date, due_date, created_at)
join purchasing.suppliers s on s.org_id = $1 and s.name_key = lower(btrim(o.supplier))
