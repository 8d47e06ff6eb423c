-- One live alert per order and level: where there is one already, nothing happens.
insert into purchasing.alerts (org_id, id, order_id, level, state, utilisation, import_id, opened_at)
select $1, a.id, a.order_id, a.level, 'open', a.utilisation::numeric, $6, $7
from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) a (id, order_id, level, utilisation)
on conflict (org_id, order_id, level) where state <> 'resolved' do nothing
returning id, order_id, level, utilisation::text
