//! What programs find out by themselves (RFC 8414, `OpenID` Connect Discovery).

use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{super::routes::Service, issuer, scopes};

/// Below the provider's name, and before its path, where one standard or the other has it; and at the root for those that
/// know no more than the host.
pub(super) const PATHS: [&str; 6] = [
    "/auth/v1/.well-known/openid-configuration",
    "/auth/v1/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration/auth/v1",
    "/.well-known/oauth-authorization-server/auth/v1",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];

pub(super) async fn document(service: Service) -> Response {
    let issuer = issuer(&service);
    let algorithm = match service.0.0.keys.signing().await {
        Ok(key) => key.algorithm,
        Err(error) => return error.into_response(),
    };
    let methods = ["client_secret_basic", "client_secret_post", "none"];
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "userinfo_endpoint": format!("{issuer}/oauth/userinfo"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "introspection_endpoint": format!("{issuer}/oauth/introspect"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "scopes_supported": scopes::ALL,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": &methods[..2],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "email", "email_verified",
            "phone_number", "phone_number_verified", "name", "given_name", "family_name", "preferred_username",
            "picture", "locale", "zoneinfo", "updated_at",
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    });
    if service.0.0.config.auth.issuer.registration {
        document["registration_endpoint"] = json!(format!("{issuer}/oauth/clients/register"));
    }
    ([(header::CACHE_CONTROL, "public, max-age=600")], Json(document)).into_response()
}
