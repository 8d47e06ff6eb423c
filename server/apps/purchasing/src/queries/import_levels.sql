-- Levels of the orders that an import brought or (ids $3) billed.
select level, count(*)
from purchasing.orders
where org_id = $1 and (import_id = $2 or id = any($3::uuid[]))
group by level
