//! Whoever asks, signed in or not: policies decide what they get.

use axum::{extract::FromRequestParts, http::request::Parts};
use tenon_sdk::{
    Error, Kernel,
    ctx::Identity,
    db::OrgSelector,
    http::{OrgHeader, RequestIdentity},
};

/// Who asks, and for which organisation.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Who.
    pub identity: Identity,
    /// Which.
    pub org: OrgSelector,
}

impl FromRequestParts<Kernel> for Visitor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Kernel) -> Result<Self, Error> {
        let identity = parts
            .extensions
            .get()
            .map(|RequestIdentity(identity)| identity.clone());
        let org = parts.extensions.get().map(|OrgHeader(org)| org.clone());
        Ok(Self {
            identity: identity.unwrap_or_else(Identity::anonymous),
            org: org.unwrap_or_default(),
        })
    }
}
