select jsonb_build_object(
    'user', to_jsonb(u) - array['encrypted_password', 'confirmation_token', 'recovery_token', 'email_change_token_new',
        'email_change_token_current', 'phone_change_token', 'reauthentication_token', 'instance_id'],
    'identities', (
        select coalesce(jsonb_agg(to_jsonb(i) - 'user_id' order by i.created_at), '[]')
        from auth.identities i where i.user_id = u.id),
    'sessions', (
        select coalesce(jsonb_agg(to_jsonb(s) - 'user_id' order by s.created_at), '[]')
        from auth.sessions s where s.user_id = u.id),
    'factors', (
        select coalesce(jsonb_agg(jsonb_build_object('type', f.factor_type, 'name', f.friendly_name, 'status', f.status,
            'phone', f.phone, 'created_at', f.created_at, 'last_used_at', f.last_challenged_at) order by f.created_at), '[]')
        from auth.mfa_factors f where f.user_id = u.id),
    'recovery_codes', (
        select jsonb_build_object('left', count(*) filter (where c.used_at is null), 'used', count(c.used_at),
            'created_at', min(c.created_at))
        from auth.mfa_recovery_codes c where c.user_id = u.id),
    'passkeys', (
        select coalesce(jsonb_agg(jsonb_build_object('name', w.friendly_name, 'backed_up', w.backed_up,
            'created_at', w.created_at, 'last_used_at', w.last_used_at) order by w.created_at), '[]')
        from auth.webauthn_credentials w where w.user_id = u.id),
    'consents', (
        select coalesce(jsonb_agg(jsonb_build_object('program', p.client_name, 'scopes', c.scopes,
            'granted_at', c.granted_at, 'revoked_at', c.revoked_at) order by c.granted_at), '[]')
        from auth.oauth_consents c join auth.oauth_clients p on p.id = c.client_id where c.user_id = u.id),
    'messages', (
        select coalesce(jsonb_agg(jsonb_build_object('channel', n.channel, 'subject', n.subject, 'at', n.created_at)
            order by n.created_at), '[]')
        from notifications.messages n where n.recipient in (u.email, u.phone)),
    'log', (
        select coalesce(jsonb_agg(jsonb_build_object('at', a.created_at, 'ip', a.ip_address,
            'action', a.payload ->> 'action') order by a.created_at), '[]')
        from auth.audit_log_entries a where a.payload ->> 'actor_id' = u.id::text))
from auth.users u where u.id = $1
