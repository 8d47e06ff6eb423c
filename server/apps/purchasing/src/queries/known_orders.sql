-- Which of the numbers $2 are orders in the books: one look into the index each, whatever the planner knows of the table.
with asked as materialized (select n, lower(n) as key from unnest($2::text[]) n)
select a.n
from asked a
cross join lateral (
  select from purchasing.orders o where o.org_id = $1 and o.number_key = a.key offset 0
) known
