-- The orders with the numbers $2 and their currencies, each with the number as it was asked for: one look into the index
-- each, whatever the planner knows of the table.
select a.n, o.id, o.currency
from unnest($2::text[]) a (n)
cross join lateral (
  select id, currency from purchasing.orders where org_id = $1 and number_key = lower(a.n) offset 0
) o
