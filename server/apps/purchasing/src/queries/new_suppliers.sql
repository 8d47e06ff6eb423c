-- Suppliers named by these rows of the orders sheet that the organisation does not have yet, as first written.
with named as materialized (
  select distinct on (lower(btrim(vals[3]))) btrim(vals[3]) as name, lower(btrim(vals[3])) as key
  from imports.accepted_rows
  where org_id = $1 and import_id = $2 and sheet = 'orders' and row_no between $3 and $4
  order by lower(btrim(vals[3])), row_no
)
select n.name
from named n
where not exists (select from purchasing.suppliers s where s.org_id = $1 and s.name_key = n.key)
