update purchasing.orders set level = $3, updated_at = $4 where org_id = $1 and id = any($2::uuid[])
