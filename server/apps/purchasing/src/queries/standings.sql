-- What decides the level, of every order.
select id, current_value, billed_to_date, level, utilisation::text from purchasing.orders where org_id = $1
