-- The whole board as one JSON value; $2 is today. Money as text, so that no reader rounds it.
select json_build_object(
  'totals', (
    select coalesce(json_agg(json_build_object(
      'currency', t.currency, 'orders', t.orders, 'ordered', t.ordered::text, 'billed', t.billed::text,
      'open_commitment', t.open_commitment::text) order by t.orders desc, t.currency), '[]')
    from (
      select currency, count(*) as orders, sum(current_value) as ordered, sum(billed_to_date) as billed,
        sum(greatest(current_value - billed_to_date, 0)) as open_commitment
      from purchasing.orders where org_id = $1 group by currency
    ) t),
  'levels', (
    select json_agg(json_build_object('level', l.level, 'orders', coalesce(c.orders, 0)) order by l.severity)
    from unnest(array['on_track', 'warning', 'critical', 'over_budget']) with ordinality l (level, severity)
    left join (
      select level, count(*) as orders from purchasing.orders where org_id = $1 group by level
    ) c on c.level = l.level),
  'open_alerts', (
    select count(*) from purchasing.alerts where org_id = $1 and state in ('open', 'escalated')),
  'overdue', (
    select count(*) from purchasing.orders where org_id = $1 and due_date < $2 and billed_to_date < current_value),
  'top_risks', (
    select coalesce(json_agg(json_build_object(
      'id', r.id, 'number', r.number, 'supplier', r.supplier, 'currency', r.currency,
      'current_value', r.current_value::text, 'billed_to_date', r.billed_to_date::text,
      'utilisation', r.utilisation::text, 'level', r.level) order by r.utilisation desc, r.number), '[]')
    from (
      select o.id, o.number, s.name as supplier, o.currency, o.current_value, o.billed_to_date, o.utilisation, o.level
      from purchasing.orders o
      join purchasing.suppliers s on s.org_id = $1 and s.id = o.supplier_id
      where o.org_id = $1 and o.level <> 'on_track'
      order by o.utilisation desc, o.number
      limit 10
    ) r),
  'billed_by_month', (
    select coalesce(json_agg(json_build_object(
      'month', to_char(m.month, 'YYYY-MM'), 'currency', m.currency, 'billed', m.billed::text)
      order by m.month, m.currency), '[]')
    from purchasing.billed_months m
    where m.org_id = $1 and m.billed <> 0
      and m.month > (
        select max(x.month) from purchasing.billed_months x where x.org_id = $1 and x.billed <> 0) - interval '24 months')
)
