insert into purchasing.suppliers (org_id, id, name, import_id, created_at)
select $1, s.id, s.name, $4, $5
from unnest($2::uuid[], $3::text[]) s (id, name)
on conflict (org_id, name_key) do nothing
