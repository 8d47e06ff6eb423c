select level, state from purchasing.alerts where org_id = $1 and id = $2 for update
