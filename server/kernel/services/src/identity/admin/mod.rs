//! What programs of the operator's own may do with people's accounts, with a service key: `/auth/v1/admin/…` and `/auth/v1/invite`.

mod attributes;
mod links;
mod pages;
mod users;

use axum::{
    Json, Router,
    body::Bytes,
    extract::FromRequestParts,
    http::{header, request::Parts},
    response::IntoResponse,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use tenon_sdk::{Error, Kernel, Result, http::RequestIdentity};

pub(super) use pages::Page;
pub(super) use users::id as user_id;

use super::routes::{Service, read};

pub(super) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/auth/v1/admin/users", get(users::list).post(users::create))
        .route(
            "/auth/v1/admin/users/{id}",
            get(users::one).put(users::update).delete(users::delete),
        )
        .route("/auth/v1/admin/users/{id}/export", get(users::export))
        .route("/auth/v1/admin/generate_link", post(links::generate))
        .route("/auth/v1/invite", post(links::invite))
        .route("/auth/v1/admin/audit", get(users::audit))
        .route("/auth/v1/admin/signing-keys/rotate", post(rotate))
}

/// The caller has a service key. A handler that takes `Result<Admin>` and asks for it first cannot run without.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admin(());

impl FromRequestParts<Kernel> for Admin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Kernel) -> Result<Self> {
        match parts.extensions.get::<RequestIdentity>() {
            Some(RequestIdentity(identity)) if identity.role == "service_role" => Ok(Self(())),
            // A person, or a program with the key that everybody has.
            _ if parts.headers.contains_key(header::AUTHORIZATION) => {
                Err(Error::forbidden("not_admin", "User not allowed").hint("This takes the service key."))
            }
            _ => Err(Error::unauthenticated(
                "no_authorization",
                "This endpoint requires a valid Bearer token",
            )
            .hint("Send the service key as Authorization: Bearer <key>.")),
        }
    }
}

#[derive(Default, Deserialize)]
struct Rotate {
    /// The keys in use have leaked.
    #[serde(default)]
    at_once: bool,
}

async fn rotate(_: Admin, service: Service, body: Bytes) -> Result<impl IntoResponse> {
    let ask: Rotate = if body.is_empty() {
        Rotate::default()
    } else {
        read(&body)?
    };
    let kid = service.0.0.keys.rotate(ask.at_once).await?;
    Ok(Json(json!({ "kid": kid })))
}
