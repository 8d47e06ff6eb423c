insert into secrets.data_keys (org_id, purpose, version, keeper, master, wrapped, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict do nothing
