-- Closes the live alerts of the orders $2 at the levels $3 (pairs).
update purchasing.alerts a
set state = 'resolved', resolved_at = $4
from unnest($2::uuid[], $3::text[]) c (order_id, level)
where a.org_id = $1 and a.order_id = c.order_id and a.level = c.level and a.state <> 'resolved'
returning a.id, a.order_id, a.level
