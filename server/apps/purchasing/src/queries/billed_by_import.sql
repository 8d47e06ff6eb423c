-- What the certified entries of an import bill, by order and month. One pass over them: an import may bring a million.
select order_id, date_trunc('month', survey_date::timestamp)::date, sum(amount)
from purchasing.entries
where org_id = $1 and import_id = $2 and state = 'certified'
group by 1, 2
