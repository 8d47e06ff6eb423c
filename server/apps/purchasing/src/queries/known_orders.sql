-- Which of the numbers $2 are orders in the books.
select n
from unnest($2::text[]) n
where exists (select from purchasing.orders o where o.org_id = $1 and lower(o.number) = lower(n))
