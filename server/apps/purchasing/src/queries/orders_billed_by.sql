-- Orders that the entries of an import are billed against.
select distinct order_id from purchasing.entries where org_id = $1 and import_id = $2
