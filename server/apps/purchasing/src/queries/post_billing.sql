-- Brings billed_to_date of the orders $2 in line with their certified entries; gives what decides the level.
update purchasing.orders o
set billed_to_date = b.billed, updated_at = $3
from (
  select t.id, coalesce(sum(e.amount), 0) as billed
  from unnest($2::uuid[]) t (id)
  left join purchasing.entries e on e.org_id = $1 and e.order_id = t.id and e.state = 'certified'
  group by t.id
) b
where o.org_id = $1 and o.id = b.id
returning o.id, o.current_value, o.billed_to_date, o.level
