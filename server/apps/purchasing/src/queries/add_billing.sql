-- Adds to billed_to_date of the orders $2 their amounts in $3 and gives them the levels there; gives what decides the
-- level. Amounts and levels are an object and not further lists: joined with those, the planner, which knows nothing yet
-- of orders just added, may compare each with each.
update purchasing.orders
set updated_at = $4,
  billed_to_date = billed_to_date + ($3::jsonb -> id::text ->> 0)::numeric,
  level = $3::jsonb -> id::text ->> 1
where org_id = $1 and id = any($2::uuid[])
returning id, current_value, billed_to_date, level, utilisation::text
