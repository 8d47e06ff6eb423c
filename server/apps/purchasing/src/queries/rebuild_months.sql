-- What billed_months has to be, from the entries themselves.
insert into purchasing.billed_months (org_id, month, currency, billed)
select $1, date_trunc('month', e.survey_date::timestamp)::date, o.currency, sum(e.amount)
from purchasing.entries e
join purchasing.orders o on o.org_id = $1 and o.id = e.order_id
where e.org_id = $1 and e.state = 'certified'
group by 2, 3
on conflict (org_id, month, currency) do update set billed = excluded.billed
