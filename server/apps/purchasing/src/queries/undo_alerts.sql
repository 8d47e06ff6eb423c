-- Alerts of orders that go away with their import.
delete from purchasing.alerts where org_id = $1 and order_id = any($2::uuid[])
