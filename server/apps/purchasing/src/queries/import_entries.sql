-- vals: 1 number, 2 order, 3 note, 4 survey date, 5 amount, 6 surveyor
insert into purchasing.entries (
  org_id, id, number, order_id, note, survey_date, amount, surveyor, state, import_id, created_at)
select $1, r.id, r.vals[1], o.id, r.vals[3], r.vals[4]::date, r.vals[5]::numeric, r.vals[6], 'certified', $2, $5
from imports.accepted_rows r
join purchasing.orders o on o.org_id = $1 and lower(o.number) = lower(r.vals[2])
where r.org_id = $1 and r.import_id = $2 and r.sheet = 'surveys' and r.row_no between $3 and $4
