insert into purchasing.entries (
  org_id, id, number, order_id, note, survey_date, amount, surveyor, state, created_at)
select $1, e.id, e.number, e.order_id, e.note, e.survey_date, e.amount, e.surveyor, 'certified', e.created_at
from unnest(
  $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::date[], $7::numeric[], $8::text[], $9::timestamptz[])
  e (id, number, order_id, note, survey_date, amount, surveyor, created_at)
