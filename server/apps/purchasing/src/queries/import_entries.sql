-- vals: 1 number, 2 order, 3 note, 4 survey date, 5 amount, 6 surveyor
-- Each order is looked up once, with LATERAL and OFFSET: one look into the index, although nothing is known yet of orders
-- just added. Its id then comes from an object and not from a join, which the planner may do each with each.
with r as materialized (
  select id, vals, lower(vals[2]) as order_key
  from imports.accepted_rows
  where org_id = $1 and import_id = $2 and sheet = 'surveys' and row_no between $3 and $4
), named as materialized (
  select jsonb_object_agg(k.order_key, o.id) as ids
  from (select distinct order_key from r) k
  cross join lateral (
    select id from purchasing.orders where org_id = $1 and number_key = k.order_key offset 0
  ) o
)
insert into purchasing.entries (
  org_id, id, number, order_id, note, survey_date, amount, surveyor, state, import_id, created_at)
select $1, r.id, r.vals[1], (named.ids ->> r.order_key)::uuid, r.vals[3], r.vals[4]::date, r.vals[5]::numeric, r.vals[6],
  'certified', $2, $5
from r
cross join named
where named.ids ? r.order_key
