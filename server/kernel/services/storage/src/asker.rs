//! Who asks, and their transaction: policies see the caller, the request and the operation, as those written for Supabase expect.

use std::fmt::Write as _;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use tenon_sdk::{
    Error, Kernel, Result,
    ctx::Identity,
    db::{OrgSelector, RequestContext, RequestTx, Surroundings},
    http::{OrgHeader, RequestIdentity},
};
use uuid::Uuid;

use crate::{errors, model::FILES};

/// The caller of a request.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) identity: Identity,
    org: OrgSelector,
    request: (String, String),
    headers: String,
}

/// Headers that are keys themselves.
const SECRET: [&str; 4] = ["authorization", "apikey", "cookie", "proxy-authorization"];

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Error;

    /// Errors: where the request has no token and no key at all, as upstream.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        if !parts.headers.contains_key(header::AUTHORIZATION) && !parts.headers.contains_key("apikey") {
            return Err(errors::no_authorization());
        }
        Ok(Self::of(parts))
    }
}

impl Asker {
    /// The caller, who may be nobody.
    pub(crate) fn of(parts: &Parts) -> Self {
        let identity = parts
            .extensions
            .get::<RequestIdentity>()
            .map_or_else(Identity::anonymous, |RequestIdentity(identity)| identity.clone());
        let org = parts.extensions.get::<OrgHeader>();
        Self {
            identity,
            org: org.map(|OrgHeader(org)| org.clone()).unwrap_or_default(),
            request: (parts.method.to_string(), parts.uri.path().to_owned()),
            headers: headers_json(&parts.headers),
        }
    }

    /// The same, found out by another road than a bearer token.
    pub(crate) fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// Whether it is somebody, and not any visitor.
    pub(crate) fn is_known(&self) -> bool {
        self.identity.role != "anon"
    }

    /// How a row names whoever goes on with what they began.
    pub(crate) fn name(&self) -> String {
        match (self.identity.user, &self.identity.key) {
            (_, Some(key)) => format!("key {}", key.id),
            (Some(user), None) => format!("user {user}"),
            (None, None) => format!("role {}", self.identity.role),
        }
    }

    /// Their id, as it is kept with what they make.
    pub(crate) fn owner(&self) -> Option<String> {
        self.identity.user.map(|user| user.to_string())
    }

    fn context(&self, place: Option<(&str, &str)>, read_only: bool) -> RequestContext {
        // A name in the bucket of organisations says which of them is meant, unless a header does.
        let org = match (&self.org, place) {
            (OrgSelector::Default, Some((FILES, name))) => name
                .split_once('/')
                .and_then(|(first, _)| Uuid::try_parse(first).ok())
                .map_or(OrgSelector::Default, OrgSelector::Id),
            (org, _) => org.clone(),
        };
        RequestContext {
            role: self.identity.role,
            user: self.identity.user,
            key: self.identity.key.map(|key| key.id),
            claims: self.identity.claims.clone(),
            org,
            request: Some(self.request.clone()),
            read_only,
            time_zone: None,
            surroundings: Surroundings {
                search_path: None,
                headers: Some(self.headers.clone()),
            },
        }
    }

    /// Begins a transaction as the caller. `place` is the bucket and the name in question, `operation` the word policies know it by.
    pub(crate) async fn begin(
        &self,
        kernel: &Kernel,
        operation: &str,
        place: Option<(&str, &str)>,
        read_only: bool,
    ) -> Result<RequestTx> {
        let (tx, _) = RequestTx::begin_query(
            kernel.db(),
            &self.context(place, read_only),
            "select set_config('storage.operation', $1, true), set_config('storage.allow_delete_query', 'true', true)",
            &[&operation],
        )
        .await?;
        Ok(tx)
    }
}

/// The request's headers for `request.headers`, without those that are keys.
fn headers_json(headers: &HeaderMap) -> String {
    let mut json = String::from("{");
    for name in headers.keys().filter(|name| !SECRET.contains(&name.as_str())) {
        let value = headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        let value = serde_json::Value::from(value.unwrap_or_default().replace('\0', ""));
        let comma = if json.len() > 1 { "," } else { "" };
        _ = write!(json, "{comma}\"{name}\":{value}");
    }
    json.push('}');
    json
}
