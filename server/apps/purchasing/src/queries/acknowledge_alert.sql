update purchasing.alerts
set state = $3, acknowledged_at = $4, acknowledged_by = $5, note = $6
where org_id = $1 and id = $2
returning id, order_id, level, state, utilisation::text, opened_at, acknowledged_at, acknowledged_by, note, resolved_at
