-- Open alerts in a stable order.
select a.id
from purchasing.alerts a
join purchasing.orders o on o.org_id = $1 and o.id = a.order_id
where a.org_id = $1 and a.state = 'open'
order by o.number
