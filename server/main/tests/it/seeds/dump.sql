-- As `supabase db dump --data-only` writes it.
SET session_replication_role = replica;
SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);
SET row_security = off;

INSERT INTO "auth"."audit_log_entries" ("instance_id", "id", "payload", "created_at", "ip_address") VALUES
	('00000000-0000-0000-0000-000000000000', '6b0f4b53-9f2e-4c2e-93a6-0b1f4c7b9b0e', '{"action":"user_signedup","actor_id":"633906ea-b4b6-4d79-b559-ee3b11b8154c","actor_username":"dumped@example.com","actor_via_sso":false,"log_type":"team","traits":{"provider":"email"}}', '2026-05-21 18:22:21.3+00', '');

INSERT INTO "auth"."flow_state" ("id", "user_id", "auth_code", "code_challenge_method", "code_challenge", "provider_type", "provider_access_token", "provider_refresh_token", "created_at", "updated_at", "authentication_method", "auth_code_issued_at", "invite_token", "referrer", "oauth_client_state_id", "linking_target_id", "email_optional") VALUES
	('d453ce0b-1296-4f30-bc1c-07b5081f86c9', NULL, NULL, NULL, NULL, 'google', '', '', '2026-03-09 22:13:48.613989+00', '2026-03-09 22:13:48.613989+00', 'oauth', NULL, NULL, 'http://localhost:3001/auth/callback', NULL, NULL, false),
	('1aeae18d-e1ee-4259-a0a8-087f2722a33f', '633906ea-b4b6-4d79-b559-ee3b11b8154c', '34e770dd-9ff9-416c-87fa-43b31d7ef225', 's256', 'q', 'email', '', '', '2026-03-09 22:14:01+00', '2026-03-09 22:14:01+00', 'email/signup', '2026-03-09 22:14:30+00', NULL, NULL, NULL, NULL, false);

INSERT INTO "auth"."users" ("instance_id", "id", "aud", "role", "email", "encrypted_password", "email_confirmed_at", "invited_at", "confirmation_token", "confirmation_sent_at", "recovery_token", "recovery_sent_at", "email_change_token_new", "email_change", "email_change_sent_at", "last_sign_in_at", "raw_app_meta_data", "raw_user_meta_data", "is_super_admin", "created_at", "updated_at", "phone", "phone_confirmed_at", "phone_change", "phone_change_token", "phone_change_sent_at", "email_change_token_current", "email_change_confirm_status", "banned_until", "reauthentication_token", "reauthentication_sent_at", "is_sso_user", "deleted_at", "is_anonymous") VALUES
	('00000000-0000-0000-0000-000000000000', '633906ea-b4b6-4d79-b559-ee3b11b8154c', 'authenticated', 'authenticated', 'dumped@example.com', extensions.crypt('password123', extensions.gen_salt('bf', 10)), '2026-05-21 18:22:21.3+00', NULL, '', NULL, '', NULL, '', '', NULL, '2026-05-21 18:22:21.3+00', '{"provider": "email", "providers": ["email"]}', '{"sub": "633906ea-b4b6-4d79-b559-ee3b11b8154c", "email": "dumped@example.com", "email_verified": true, "phone_verified": false}', NULL, '2026-05-21 18:22:21.3+00', '2026-05-21 18:22:21.3+00', NULL, NULL, '', '', NULL, '', 0, NULL, '', NULL, false, NULL, false),
	('00000000-0000-0000-0000-000000000000', 'c8b1becb-40c1-4802-9ff2-beac34a729e6', 'authenticated', 'authenticated', 'waiting@example.com', extensions.crypt('password123', extensions.gen_salt('bf', 10)), NULL, NULL, 'pkce_e0d4e760de552c914c0ab39386c46ef084c7aaff83ceb85b66fd184e', '2026-05-21 12:46:08+00', '', NULL, '', '', NULL, NULL, '{"provider": "email", "providers": ["email"]}', '{}', NULL, '2026-05-21 12:46:08+00', '2026-05-21 12:46:08+00', NULL, NULL, '', '', NULL, '', 0, NULL, '', NULL, false, NULL, false),
	(NULL, '5f1591f6-bdf0-4224-9a00-8276abcbe310', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', '', NULL, '', 0, NULL, '', NULL, false, NULL, true);

INSERT INTO "auth"."identities" ("provider_id", "user_id", "identity_data", "provider", "last_sign_in_at", "created_at", "updated_at", "id") VALUES
	('633906ea-b4b6-4d79-b559-ee3b11b8154c', '633906ea-b4b6-4d79-b559-ee3b11b8154c', '{"sub": "633906ea-b4b6-4d79-b559-ee3b11b8154c", "email": "dumped@example.com", "email_verified": false, "phone_verified": false}', 'email', '2026-05-21 18:22:21.3+00', '2026-05-21 18:22:21.3+00', '2026-05-21 18:22:21.3+00', '8e0d3b3c-6f0c-4b0e-8f57-6d6f9b1f0d11'),
	('c8b1becb-40c1-4802-9ff2-beac34a729e6', 'c8b1becb-40c1-4802-9ff2-beac34a729e6', '{"sub": "c8b1becb-40c1-4802-9ff2-beac34a729e6", "email": "waiting@example.com"}', 'email', NULL, NULL, NULL, '2f8b4a1c-1b57-45a5-a7d4-c1b2e9b0a5c2');

INSERT INTO "auth"."sessions" ("id", "user_id", "created_at", "updated_at", "factor_id", "aal", "not_after", "refreshed_at", "user_agent", "ip", "tag", "oauth_client_id", "refresh_token_hmac_key", "refresh_token_counter", "scopes") VALUES
	('16736a35-95a7-431e-b422-33f9c512a690', '633906ea-b4b6-4d79-b559-ee3b11b8154c', '2026-05-21 18:22:21.3+00', '2026-05-21 18:22:21.3+00', NULL, 'aal1', NULL, NULL, 'node', '172.18.0.1', NULL, NULL, NULL, NULL, NULL),
	('cdd9347b-6598-48d9-b27a-d73c5575c600', '633906ea-b4b6-4d79-b559-ee3b11b8154c', '2026-05-21 19:05:21+00', '2026-05-21 19:05:21+00', NULL, 'aal1', NULL, '2026-05-21 20:05:21', 'node', '172.18.0.1', NULL, NULL, NULL, NULL, NULL);

INSERT INTO "auth"."mfa_amr_claims" ("session_id", "created_at", "updated_at", "authentication_method", "id") VALUES
	('16736a35-95a7-431e-b422-33f9c512a690', '2026-05-21 18:22:21.3+00', '2026-05-21 18:22:21.3+00', 'password', '8c4b5bd7-0598-49ef-b250-edd41ffe3ae6');

INSERT INTO "auth"."mfa_factors" ("id", "user_id", "friendly_name", "factor_type", "status", "created_at", "updated_at", "secret", "phone", "last_challenged_at", "web_authn_credential", "web_authn_aaguid", "last_webauthn_challenge_data") VALUES
	('0b9a6cf1-8a8a-4d9d-9f5c-8c6a2b3f1e01', '5f1591f6-bdf0-4224-9a00-8276abcbe310', 'App', 'totp', 'unverified', '2026-05-21 18:22:21+00', '2026-05-21 18:22:21+00', 'JBSWY3DPEHPK3PXP', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "auth"."mfa_challenges" ("id", "factor_id", "created_at", "verified_at", "ip_address", "otp_code", "web_authn_session_data") VALUES
	('5b9a6cf1-8a8a-4d9d-9f5c-8c6a2b3f1e01', '0b9a6cf1-8a8a-4d9d-9f5c-8c6a2b3f1e01', '2026-05-21 18:22:21+00', NULL, '172.18.0.1', NULL, NULL);

INSERT INTO "auth"."one_time_tokens" ("id", "user_id", "token_type", "token_hash", "relates_to", "created_at", "updated_at") VALUES
	('853bdea9-e620-4faf-b6c6-327446cf07a5', 'c8b1becb-40c1-4802-9ff2-beac34a729e6', 'confirmation_token', 'pkce_e0d4e760de552c914c0ab39386c46ef084c7aaff83ceb85b66fd184e', 'waiting@example.com', now()::timestamp, now()::timestamp);

INSERT INTO "auth"."refresh_tokens" ("instance_id", "id", "token", "user_id", "revoked", "created_at", "updated_at", "parent", "session_id") VALUES
	('00000000-0000-0000-0000-000000000000', 21, 'xby5iy2bmncy', '633906ea-b4b6-4d79-b559-ee3b11b8154c', true, '2026-05-21 18:22:21.344252+00', '2026-05-21 19:22:21.344252+00', NULL, '16736a35-95a7-431e-b422-33f9c512a690'),
	('00000000-0000-0000-0000-000000000000', 22, 'qqnkux2j66b2', '633906ea-b4b6-4d79-b559-ee3b11b8154c', false, '2026-05-21 19:22:21.344252+00', '2026-05-21 19:22:21.344252+00', 'xby5iy2bmncy', '16736a35-95a7-431e-b422-33f9c512a690'),
	('00000000-0000-0000-0000-000000000000', 24, 'jnisk6fjhfaf', '633906ea-b4b6-4d79-b559-ee3b11b8154c', false, '2026-05-21 19:05:21.997112+00', '2026-05-21 19:05:21.997112+00', NULL, 'cdd9347b-6598-48d9-b27a-d73c5575c600');

INSERT INTO "auth"."sso_providers" ("id", "resource_id", "created_at", "updated_at", "disabled") VALUES
	('6d551e7c-caab-4c69-a66d-b7bd21f3f4d4', NULL, '2026-05-21 18:22:21+00', '2026-05-21 18:22:21+00', NULL);
INSERT INTO "auth"."saml_providers" ("id", "sso_provider_id", "entity_id", "metadata_xml", "metadata_url", "attribute_mapping", "created_at", "updated_at", "name_id_format") VALUES
	('7d551e7c-caab-4c69-a66d-b7bd21f3f4d4', '6d551e7c-caab-4c69-a66d-b7bd21f3f4d4', 'https://idp.example.com', '<xml/>', NULL, '{}', '2026-05-21 18:22:21+00', '2026-05-21 18:22:21+00', NULL);
INSERT INTO "auth"."saml_relay_states" ("id", "sso_provider_id", "request_id", "for_email", "redirect_to", "created_at", "updated_at", "flow_state_id") VALUES
	('8d551e7c-caab-4c69-a66d-b7bd21f3f4d4', '6d551e7c-caab-4c69-a66d-b7bd21f3f4d4', 'id-1', NULL, NULL, '2026-05-21 18:22:21+00', '2026-05-21 18:22:21+00', NULL);
INSERT INTO "auth"."sso_domains" ("id", "sso_provider_id", "domain", "created_at", "updated_at") VALUES
	('9d551e7c-caab-4c69-a66d-b7bd21f3f4d4', '6d551e7c-caab-4c69-a66d-b7bd21f3f4d4', 'example.org', '2026-05-21 18:22:21+00', '2026-05-21 18:22:21+00');
INSERT INTO "auth"."webauthn_credentials" ("id", "user_id", "credential_id", "public_key", "attestation_type", "aaguid", "sign_count", "transports", "backup_eligible", "backed_up", "friendly_name", "created_at", "updated_at", "last_used_at") VALUES
	('aa551e7c-caab-4c69-a66d-b7bd21f3f4d4', '633906ea-b4b6-4d79-b559-ee3b11b8154c', '\x01', '\x02', '', NULL, 0, '[]', true, true, 'Key', '2026-05-21 18:22:21+00', '2026-05-21 18:22:21+00', NULL);

SELECT pg_catalog.setval('"auth"."refresh_tokens_id_seq"', 24, true);
RESET ALL;
