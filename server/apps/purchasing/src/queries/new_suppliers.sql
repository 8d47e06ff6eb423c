-- Suppliers named by these rows of the orders sheet that the organisation does not have yet, as first written.
select distinct on (lower(btrim(r.vals[3]))) btrim(r.vals[3])
from imports.accepted_rows r
where r.org_id = $1 and r.import_id = $2 and r.sheet = 'orders' and r.row_no between $3 and $4
  and not exists (
    select from purchasing.suppliers s where s.org_id = $1 and s.name_key = lower(btrim(r.vals[3])))
order by lower(btrim(r.vals[3])), r.row_no
