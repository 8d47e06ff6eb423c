-- One live alert per order and level: where there is one already, nothing happens.
insert into purchasing.alerts (org_id, id, order_id, level, state, utilisation, import_id, opened_at)
select $1, a.id, o.id, a.level, 'open', o.utilisation, $5, $6
from unnest($2::uuid[], $3::uuid[], $4::text[]) a (id, order_id, level)
join purchasing.orders o on o.org_id = $1 and o.id = a.order_id
on conflict (org_id, order_id, level) where state <> 'resolved' do nothing
returning id, order_id, level, utilisation::text
