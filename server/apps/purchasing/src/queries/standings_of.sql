-- What decides the level, of the orders $2.
select id, current_value, billed_to_date, level, utilisation::text
from purchasing.orders
where org_id = $1 and id = any($2::uuid[])
