select messages.extension, coalesce(({read}), false), coalesce(({write}), false)
from (
    select m.* from pg_catalog.unnest(array['broadcast', 'presence']) as asked (extension),
    lateral pg_catalog.jsonb_populate_record(null::realtime.messages, pg_catalog.jsonb_build_object(
        'topic', $1::text, 'extension', asked.extension, 'private', true, 'id', pg_catalog.gen_random_uuid(),
        'inserted_at', pg_catalog.now() at time zone 'utc', 'updated_at', pg_catalog.now() at time zone 'utc',
        'org_id', tenancy.org_id())) as m) as messages
