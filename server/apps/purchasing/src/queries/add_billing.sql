-- Adds to billed_to_date of the orders $2 their amounts in $3; gives what decides the level. The amounts are an object
-- and not a second list: joined with one, the planner, which knows nothing yet of orders just added, may compare each
-- with each.
update purchasing.orders
set updated_at = $4, billed_to_date = billed_to_date + ($3::jsonb ->> id::text)::numeric
where org_id = $1 and id = any($2::uuid[])
returning id, current_value, billed_to_date, level, utilisation::text, currency
