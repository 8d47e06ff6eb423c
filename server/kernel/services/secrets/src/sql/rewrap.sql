update secrets.data_keys set keeper = $4, master = $5, wrapped = $6
where org_id is not distinct from $1 and purpose = $2 and version = $3 and wrapped = $7
