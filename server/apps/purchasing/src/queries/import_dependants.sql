-- What would lose its ground if the import were undone: entries of others on its orders, and alerts that somebody
-- acknowledged on its orders or because of its figures.
select
  (select count(*)
   from purchasing.entries e
   join purchasing.orders o on o.org_id = $1 and o.id = e.order_id
   where e.org_id = $1 and o.import_id = $2 and e.import_id is distinct from $2),
  (select count(*)
   from purchasing.alerts a
   join purchasing.orders o on o.org_id = $1 and o.id = a.order_id
   where a.org_id = $1 and a.acknowledged_at is not null and (a.import_id = $2 or o.import_id = $2))
