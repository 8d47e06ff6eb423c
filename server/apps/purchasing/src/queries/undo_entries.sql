delete from purchasing.entries where org_id = $1 and import_id = $2
