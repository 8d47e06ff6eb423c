select coalesce(realtime.wall('realtime.messages'::regclass, $1::text::name, 'r'), 'true'),
    coalesce(realtime.wall('realtime.messages'::regclass, $1::text::name, 'a'), 'true')
