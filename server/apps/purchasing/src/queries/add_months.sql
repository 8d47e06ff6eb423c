insert into purchasing.billed_months as m (org_id, month, currency, billed)
select $1, b.month, b.currency, b.billed
from unnest($2::date[], $3::text[], $4::numeric[]) b (month, currency, billed)
on conflict (org_id, month, currency) do update set billed = m.billed + excluded.billed where m.org_id = $1
