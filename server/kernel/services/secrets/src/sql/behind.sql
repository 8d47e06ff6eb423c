select version, keeper, master, wrapped, org_id, purpose from secrets.data_keys
where (keeper, master) <> ($1, $2)
order by org_id, purpose, version
limit $3
