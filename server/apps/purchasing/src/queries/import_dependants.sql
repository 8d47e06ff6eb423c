-- What would lose its ground if the import $2, which brought the orders $3, were undone: entries of others on these
-- orders, and alerts that somebody acknowledged on them or because of the import's figures.
select
  (select count(*)
   from purchasing.entries
   where org_id = $1 and order_id = any($3::uuid[]) and import_id is distinct from $2),
  (select count(*)
   from purchasing.alerts
   where org_id = $1 and acknowledged_at is not null and (import_id = $2 or order_id = any($3::uuid[])))
