update auth.custom_oauth_providers set
    name = $4, client_id = $5, client_secret = null, sealed = $6, acceptable_client_ids = $7, scopes = $8, pkce_enabled = $9,
    attribute_mapping = $10, custom_claims_allowlist = $11, authorization_params = $12, enabled = $13, email_optional = $14,
    issuer = $15, discovery_url = $16, skip_nonce_check = $17, cached_discovery = $18, discovery_cached_at = $19,
    authorization_url = $20, token_url = $21, userinfo_url = $22, jwks_uri = $23, created_at = $24, updated_at = $25
where id = $1 and provider_type = $2 and identifier = $3
returning *
