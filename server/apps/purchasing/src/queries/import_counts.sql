-- How many orders and suppliers an import brought.
select
  (select count(*) from purchasing.orders where org_id = $1 and import_id = $2),
  (select count(*) from purchasing.suppliers where org_id = $1 and import_id = $2)
