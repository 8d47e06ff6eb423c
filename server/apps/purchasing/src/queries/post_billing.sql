-- Brings billed_to_date of the orders $2 in line with their certified entries; gives what decides the level.
update purchasing.orders o
set updated_at = $3,
  billed_to_date = coalesce((
    select sum(e.amount) from purchasing.entries e
    where e.org_id = $1 and e.order_id = o.id and e.state = 'certified'), 0)
where o.org_id = $1 and o.id = any($2::uuid[])
returning o.id, o.current_value, o.billed_to_date, o.level, o.utilisation::text
