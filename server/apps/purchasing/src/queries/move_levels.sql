update purchasing.orders o
set level = m.level, updated_at = $4
from unnest($2::uuid[], $3::text[]) m (id, level)
where o.org_id = $1 and o.id = m.id
