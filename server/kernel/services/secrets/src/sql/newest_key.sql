select version, keeper, master, wrapped from secrets.data_keys
where org_id is not distinct from $1 and purpose = $2
order by version desc
limit 1
