-- Suppliers the import brought and no order of another import has come to use.
delete from purchasing.suppliers s
where s.org_id = $1 and s.import_id = $2
  and not exists (select from purchasing.orders o where o.org_id = $1 and o.supplier_id = s.id)
