//! Who sent a request: found once by a middleware, read by extractors.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::ClientAddress;
use crate::{ctx::Identity, db::OrgSelector, kernel::Kernel, origin::Origin, telemetry::scope};

/// The header that names the organisation, by id or slug.
pub const ORG_HEADER: &str = "x-org-id";

/// What keys of organisations and tokens of people begin with.
pub const KEY_PREFIX: &str = "tnn_";

/// The identity of a request, as an extension.
#[derive(Clone, Debug)]
pub struct RequestIdentity(pub Identity);

/// The organisation a request asks for, as an extension.
#[derive(Clone, Debug)]
pub struct OrgHeader(pub OrgSelector);

/// Finds out who is asking. A token that is not good ends the request here; no token is a visitor.
pub async fn authenticate(State(kernel): State<Kernel>, mut request: Request, next: Next) -> Response {
    let identity = match bearer(request.headers()) {
        Some(token) => match kernel.authenticator().authenticate(token).await {
            Ok(identity) => identity,
            Err(error) => {
                return kernel
                    .authenticator()
                    .refusal(request.uri().path(), error)
                    .into_response();
            }
        },
        None => Identity::anonymous(),
    };
    scope::is_for(identity.user);
    let org = request
        .headers()
        .get(ORG_HEADER)
        .and_then(|value| value.to_str().ok())
        .map(OrgSelector::parse)
        .unwrap_or_default();
    let trusted = &kernel.config().server.trusted_proxies;
    let client = ClientAddress::find(request.extensions(), request.headers(), trusted);
    let origin = Origin::new(client, request.headers(), identity.clone(), kernel.env().clone());
    request.extensions_mut().insert(RequestIdentity(identity));
    request.extensions_mut().insert(OrgHeader(org));
    origin.around(next.run(request)).await
}

/// The bearer token, or else what clients of Supabase send in a header of their own besides it, and some instead of it.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
    });
    sent.or_else(|| headers.get("apikey")?.to_str().ok())
        .filter(|key| !key.is_empty())
}
