insert into purchasing.settings as s (org_id, warning, critical)
values ($1, $2, $3)
on conflict (org_id) do update set warning = excluded.warning, critical = excluded.critical where s.org_id = $1
