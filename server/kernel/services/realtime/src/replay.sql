select m.id, m.event, m.payload::text, m.binary_payload::text
from realtime.messages m
where m.org_id is not distinct from $1 and m.topic = $2 and m.private is true and m.extension = 'broadcast'
    and m.inserted_at >= pg_catalog.to_timestamp($3::bigint / 1000.0) at time zone 'utc'
order by m.inserted_at desc
limit $4
