//! Who speaks in a channel: by the token it was joined with, or else by the key of the connection.

use jiff::Timestamp;
use serde_json::Value;
use tenon_sdk::{Error, Kernel, OrgId, Result, ctx::Identity, db::OrgSelector};

use crate::context;

/// Who opened the connection, and in which organisation.
#[derive(Debug)]
pub struct Callers {
    identity: Identity,
    org: Option<OrgId>,
    asked: OrgSelector,
}

/// Who speaks in a channel.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// Who.
    pub identity: Identity,
    /// In which organisation.
    pub org: Option<OrgId>,
    /// The token, if the channel has one of its own.
    pub token: Option<String>,
    /// When that ends.
    pub expires: Option<Timestamp>,
}

impl Callers {
    /// Who opened the connection.
    pub fn new(identity: Identity, org: Option<OrgId>, asked: OrgSelector) -> Self {
        Self { identity, org, asked }
    }

    /// The organisation that was asked for.
    pub fn asked(&self) -> &OrgSelector {
        &self.asked
    }

    /// Who speaks with this token. Keys are no tokens of people: with one of them it is whoever opened the connection.
    ///
    /// Errors: the token is not good, or its person is not in the organisation that was asked for.
    pub async fn speaker(&self, kernel: &Kernel, token: Option<&str>) -> Result<Speaker> {
        let token = token.filter(|token| !token.is_empty() && !token.starts_with("sb_"));
        let identity = match token {
            Some(token) => kernel.authenticator().authenticate(token).await?,
            None => self.identity.clone(),
        };
        // Whoever opened the connection did so with a token, too, which may have ended since.
        let claims: Value = serde_json::from_str(&identity.claims).unwrap_or_default();
        let expires = claims["exp"]
            .as_i64()
            .and_then(|exp| Timestamp::from_second(exp).ok());
        if expires.is_some_and(|expires| expires <= kernel.env().now()) {
            return Err(Error::unauthenticated("auth.token_expired", "Token has expired"));
        }
        // Asked anew each time: who was removed, or whose key was revoked, is out.
        let org = if identity.is_principal() {
            kernel
                .db()
                .resolve(&context::of(kernel, &identity, &self.asked))
                .await?
                .org
        } else {
            self.org
        };
        Ok(Speaker {
            identity,
            org,
            token: token.map(str::to_owned),
            expires,
        })
    }
}
