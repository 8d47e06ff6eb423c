//! What a program may do with the access token it was given for a person: learn who they are. With the scope `api` it may use
//! the API as them; it may never change their account, agree to anything for them, or give further keys away.

use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tenon_sdk::{
    Error, Kernel, ctx,
    http::{ClientAddress, RequestIdentity},
};
use uuid::Uuid;

use super::{super::audit, scopes::Scopes};

/// The program that a token was given to.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) client: Uuid,
    pub(super) scopes: Scopes,
}

#[derive(Deserialize)]
struct Claims {
    client_id: Option<Uuid>,
    #[serde(default)]
    scope: String,
}

impl Program {
    /// The program behind a token; none behind a person's own.
    pub(super) fn of(identity: &ctx::Identity) -> Option<Self> {
        // Most tokens are people's own and are not parsed again.
        if !identity.claims.contains("\"client_id\"") {
            return None;
        }
        let claims: Claims = serde_json::from_str(&identity.claims).ok()?;
        Some(Self {
            client: claims.client_id?,
            scopes: Scopes::read(&claims.scope).unwrap_or_default(),
        })
    }
}

/// Addresses at which a program's token is good whatever it was granted; each looks for itself.
const ALWAYS: [&str; 4] = [
    "/auth/v1/oauth/userinfo",
    "/auth/v1/oauth/token",
    "/auth/v1/oauth/revoke",
    "/auth/v1/oauth/introspect",
];

/// What is read only, whatever was granted: who belongs to an organisation, with which rights and keys.
const PEOPLES: [&str; 4] = [
    "/api/v1/tenancy/",
    "/api/v1/access/",
    "/api/v1/operator/",
    "/api/v1/notifications/",
];

/// Whether a program may do this.
fn allowed(method: &Method, path: &str, api: bool) -> bool {
    if ALWAYS.contains(&path) {
        return true;
    }
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if path.starts_with("/auth/") {
        return api && reads && path == "/auth/v1/user";
    }
    api && (reads || !PEOPLES.iter().any(|prefix| path.starts_with(prefix)))
}

/// Stops programs at what they were not granted; people pass. What is recorded meanwhile names the client's address.
pub(crate) async fn guard(State(kernel): State<Kernel>, request: Request, next: Next) -> Response {
    let trusted = &kernel.config().server.trusted_proxies;
    let client = ClientAddress::find(request.extensions(), request.headers(), trusted);
    audit::answering(client, admit(&kernel, request, next)).await
}

async fn admit(kernel: &Kernel, request: Request, next: Next) -> Response {
    let program = request
        .extensions()
        .get::<RequestIdentity>()
        .and_then(|RequestIdentity(identity)| Program::of(identity));
    let Some(program) = program else {
        return next.run(request).await;
    };
    let api = program.scopes.has("api") || kernel.config().auth.issuer.open_api;
    let path = request.uri().path();
    if allowed(request.method(), path, api) {
        return next.run(request).await;
    }
    let refused = Error::forbidden("insufficient_scope", "This program was not granted that.").hint(
        "Programs act in the API with the scope api; a person's account is changed by the person alone.",
    );
    refused.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_learns_who_somebody_is_and_no_more() {
        for (method, path, api, good) in [
            (Method::GET, "/auth/v1/oauth/userinfo", false, true),
            (Method::GET, "/auth/v1/user", false, false),
            (Method::GET, "/auth/v1/user", true, true),
            (Method::PUT, "/auth/v1/user", true, false),
            (Method::POST, "/auth/v1/factors", true, false),
            (Method::GET, "/auth/v1/oauth/authorizations/x", true, false),
            (
                Method::POST,
                "/auth/v1/oauth/authorizations/x/consent",
                true,
                false,
            ),
            (Method::GET, "/auth/v1/user/oauth/grants", true, false),
            (Method::POST, "/auth/v1/logout", true, false),
            (Method::GET, "/rest/v1/orders", false, false),
            (Method::PATCH, "/rest/v1/orders", true, true),
            (Method::GET, "/api/v1/tenancy/organizations", true, true),
            (Method::POST, "/api/v1/tenancy/organizations", true, false),
            (Method::POST, "/api/v1/access/keys", true, false),
            (Method::POST, "/api/v1/imports", true, true),
        ] {
            assert_eq!(allowed(&method, path, api), good, "{method} {path}");
        }
    }

    #[test]
    fn words_a_person_says_of_themselves_make_no_program() {
        let identity = |claims: &str| ctx::Identity {
            claims: claims.into(),
            ..ctx::Identity::anonymous()
        };
        assert!(Program::of(&identity(r#"{"user_metadata":{"client_id":"x"}}"#)).is_none());
        let id = Uuid::from_u128(7);
        let found = Program::of(&identity(&format!(
            r#"{{"client_id":"{id}","scope":"openid x"}}"#
        )))
        .unwrap();
        assert_eq!(found.client, id);
        assert!(!found.scopes.has("openid"), "an unknown scope grants nothing");
    }
}
