-- Which of the numbers $2 are entries in the books.
select n
from unnest($2::text[]) n
where exists (select from purchasing.entries e where e.org_id = $1 and lower(e.number) = lower(n))
