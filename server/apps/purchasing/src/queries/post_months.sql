-- Adds ($3 = 1) or takes away ($3 = -1) what an import billed per month and currency.
insert into purchasing.billed_months as m (org_id, month, currency, billed)
select $1, date_trunc('month', e.survey_date::timestamp)::date, o.currency, $3::int * sum(e.amount)
from purchasing.entries e
join purchasing.orders o on o.org_id = $1 and o.id = e.order_id
where e.org_id = $1 and e.import_id = $2 and e.state = 'certified'
group by 2, 3
on conflict (org_id, month, currency) do update set billed = m.billed + excluded.billed where m.org_id = $1
