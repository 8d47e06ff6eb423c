-- What the certified entries of an import bill, by order and month. One pass over them: an import may bring a million.
select o.id, o.currency, b.month, b.amount
from (
  select order_id, date_trunc('month', survey_date::timestamp)::date as month, sum(amount) as amount
  from purchasing.entries
  where org_id = $1 and import_id = $2 and state = 'certified'
  group by 1, 2) b
join purchasing.orders o on o.org_id = $1 and o.id = b.order_id
