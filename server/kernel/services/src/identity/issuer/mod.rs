//! Tenon as provider: other programs sign people in here, by OAuth 2.1 (authorization code with PKCE) and `OpenID` Connect, in
//! the wire form of GoTrue's OAuth server.
//!
//! A program sends the browser to `authorize`, which keeps its request and leads to the page that asks the person
//! (`decide`); the answer carries a code back, and `exchange` gives tokens for it, bound to a session that the program
//! has of its own. What a program may do with its token is `program`'s to say.

mod authorize;
mod clients;
mod decide;
mod discovery;
mod exchange;
mod fault;
mod grants;
mod introspect;
mod parameters;
mod person;
mod program;
mod redirects;
mod revoke;
mod scopes;

pub(crate) use clients::{COLUMNS as PROGRAM_COLUMNS, Client as Program, commands as programs};
pub(crate) use program::guard;

use axum::{
    Router, middleware,
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, post},
};
use tenon_sdk::{Error, Kernel, Result};

use super::{
    Identity,
    limits::{Limit, limited},
};

/// A route whose answers nobody on the way may keep.
fn private(route: MethodRouter<Kernel>) -> MethodRouter<Kernel> {
    route.layer(middleware::map_response(async |response: Response| {
        fault::not_kept(response)
    }))
}

pub(super) fn routes(identity: &Identity) -> Router<Kernel> {
    let router = Router::new()
        .route(
            "/auth/v1/oauth/authorize",
            // Anybody can make it keep a request.
            limited(Limit::Token, get(authorize::by_query).post(authorize::by_form)),
        )
        .route(
            "/auth/v1/oauth/authorizations/{id}",
            private(get(decide::details)),
        )
        .route(
            "/auth/v1/oauth/authorizations/{id}/consent",
            private(post(decide::consent)),
        )
        .route("/auth/v1/oauth/token", post(exchange::token))
        .route(
            "/auth/v1/oauth/userinfo",
            get(person::userinfo).post(person::userinfo),
        )
        .route("/auth/v1/oauth/revoke", post(revoke::revoke))
        .route("/auth/v1/oauth/introspect", post(introspect::introspect))
        .route(
            "/auth/v1/oauth/clients/register",
            limited(Limit::Client, post(clients::register)),
        )
        .route(
            "/auth/v1/user/oauth/grants",
            get(grants::list).merge(delete(grants::revoke)),
        )
        .route(
            "/auth/v1/admin/oauth/clients",
            get(clients::admin::list).post(clients::admin::create),
        )
        .route(
            "/auth/v1/admin/oauth/clients/{id}",
            get(clients::admin::one)
                .put(clients::admin::update)
                .delete(clients::admin::delete),
        )
        .route(
            "/auth/v1/admin/oauth/clients/{id}/regenerate_secret",
            post(clients::admin::regenerate_secret),
        );
    discovery::PATHS
        .iter()
        .fold(router, |router, path| {
            router.route(path, get(discovery::document))
        })
        .layer(middleware::from_fn_with_state(identity.clone(), on))
}

/// Lets nothing in where the operator wants no programs signed in.
async fn on(
    axum::extract::State(identity): axum::extract::State<Identity>,
    request: axum::extract::Request,
    next: middleware::Next,
) -> axum::response::Response {
    if identity.0.config.auth.issuer.enabled {
        next.run(request).await
    } else {
        let off = Error::not_found(
            "feature_disabled",
            "This installation signs nobody in to other programs.",
        )
        .hint("The operator sets auth.issuer.enabled.");
        off.into_response()
    }
}

/// The name of this provider in what it signs.
fn issuer(identity: &Identity) -> String {
    format!(
        "{}/auth/v1",
        identity.0.config.server.site_url.trim_end_matches('/')
    )
}

/// An id in an address, or "not found" in the words of what is looked for.
fn id(text: &str, missing: fn() -> Error) -> Result<uuid::Uuid> {
    uuid::Uuid::try_parse(text).map_err(|_| missing())
}
