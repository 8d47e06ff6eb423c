select coalesce((select version from purchasing.revisions where org_id = $1), 0)
