-- Orders that the entries of an import are billed against, and how many entries each.
select order_id, count(*) from purchasing.entries where org_id = $1 and import_id = $2 group by order_id
