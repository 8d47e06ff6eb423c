-- Which of the numbers $2 are entries in the books: one look into the index each, whatever the planner knows of the
-- table; none at all where the books hold no number between the first and the last, as with registers counted onwards.
with asked as materialized (select n, lower(n) as key from unnest($2::text[]) n)
select a.n
from asked a
cross join lateral (
  select from purchasing.entries e where e.org_id = $1 and e.number_key = a.key offset 0
) known
where (
  select exists (
    select from purchasing.entries
    where org_id = $1 and number_key between (select min(key) from asked) and (select max(key) from asked)
    order by number_key
    limit 1))
