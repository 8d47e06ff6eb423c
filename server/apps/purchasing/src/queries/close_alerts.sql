-- Closes the live alerts of the orders $2 at the levels $3.
update purchasing.alerts
set state = 'resolved', resolved_at = $4
where org_id = $1 and order_id = any($2::uuid[]) and level = any($3::text[]) and state <> 'resolved'
returning id, order_id, level
