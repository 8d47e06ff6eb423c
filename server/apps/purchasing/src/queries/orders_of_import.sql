-- Orders an import brought.
select id from purchasing.orders where org_id = $1 and import_id = $2
