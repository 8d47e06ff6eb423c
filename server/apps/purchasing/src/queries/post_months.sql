-- Adds ($3 = 1) or takes away ($3 = -1) what an import billed per month and currency.
with billed as materialized (
  select order_id, date_trunc('month', survey_date::timestamp)::date as month, sum(amount) as amount
  from purchasing.entries
  where org_id = $1 and import_id = $2 and state = 'certified'
  group by 1, 2
)
insert into purchasing.billed_months as m (org_id, month, currency, billed)
select $1, b.month, o.currency, $3::int * sum(b.amount)
from billed b
cross join lateral (
  select currency from purchasing.orders where org_id = $1 and id = b.order_id offset 0
) o
group by b.month, o.currency
on conflict (org_id, month, currency) do update set billed = m.billed + excluded.billed where m.org_id = $1
