-- A person with a session for each client of pgbench, and a first token for each of its rounds. The token of a client's n-th
-- refresh is made of the round, the client and n, so that each finds the one it made before.
insert into auth.users (id, is_anonymous, raw_app_meta_data, raw_user_meta_data)
select ('00000000-0000-7000-9000-' || lpad(client::text, 12, '0'))::uuid, true, '{}', '{}' from generate_series(0, 63) client;
insert into auth.sessions (id, user_id, aal, amr, refreshed_at)
select id, id, 'aal1', '[{"method": "anonymous", "timestamp": 0}]', now() from auth.users where id::text like '00000000-0000-7000-9000-%';
insert into auth.refresh_tokens (token_hash, session_id)
select sha256(convert_to(round || '.' || client || '.0', 'UTF8')), ('00000000-0000-7000-9000-' || lpad(client::text, 12, '0'))::uuid
from generate_series(0, 63) client, generate_series(1, 100) round;
