-- Alerts of orders that go away with their import.
delete from purchasing.alerts a
using purchasing.orders o
where a.org_id = $1 and o.org_id = $1 and o.id = a.order_id and o.import_id = $2
