insert into auth.custom_oauth_providers
    (id, provider_type, identifier, name, client_id, sealed, acceptable_client_ids, scopes, pkce_enabled,
     attribute_mapping, custom_claims_allowlist, authorization_params, enabled, email_optional, issuer, discovery_url,
     skip_nonce_check, cached_discovery, discovery_cached_at, authorization_url, token_url, userinfo_url, jwks_uri,
     created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
on conflict (identifier) do nothing
returning *
