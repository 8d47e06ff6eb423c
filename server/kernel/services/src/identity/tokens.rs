//! Access tokens: signed JWTs, verified once and remembered until they expire.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenon_sdk::{Error, Result, UserId, ctx::Identity, env::Env, kernel::Authenticator};
use uuid::Uuid;

use super::{keys::Keys, sessions::Session, users::User};

/// Clocks of servers may differ by so many seconds.
const SKEW_SECONDS: i64 = 30;
/// Longest token looked at.
const MAX_BYTES: usize = 8 * 1024;

/// Claims in the form that clients of Supabase read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: Uuid,
    pub(super) aud: String,
    pub(super) exp: i64,
    pub(super) iat: i64,
    pub(super) email: String,
    #[serde(default)]
    pub(super) phone: String,
    #[serde(default)]
    pub(super) app_metadata: Value,
    #[serde(default)]
    pub(super) user_metadata: Value,
    pub(super) role: String,
    #[serde(default)]
    pub(super) aal: String,
    #[serde(default)]
    pub(super) amr: Value,
    pub(super) session_id: Uuid,
    #[serde(default)]
    pub(super) is_anonymous: bool,
}

impl Claims {
    pub(super) fn new(user: &User, session: &Session, issuer: &str, now: i64, lifetime: i64) -> Self {
        Self {
            iss: issuer.to_owned(),
            sub: user.id,
            aud: "authenticated".into(),
            exp: now + lifetime,
            iat: now,
            email: user.email.clone().unwrap_or_default(),
            phone: String::new(),
            app_metadata: user.about.app.clone(),
            user_metadata: user.about.person.clone(),
            role: "authenticated".into(),
            aal: session.aal.clone(),
            amr: session.amr.clone(),
            session_id: session.id,
            is_anonymous: user.anonymous,
        }
    }
}

pub(super) async fn sign(keys: &Keys, claims: &Claims) -> Result<String> {
    let key = keys.newest().await?;
    let header = Header {
        kid: Some(key.kid.clone()),
        ..Header::new(Algorithm::ES256)
    };
    jsonwebtoken::encode(&header, claims, &key.signing).map_err(Error::internal)
}

/// Verifies tokens. Checking a signature costs more than a database round trip, so a verified token is remembered.
#[derive(Clone)]
pub struct TokenVerifier {
    keys: Keys,
    env: Env,
    publishable_key: Arc<str>,
    verified: Arc<Cache<String, (Identity, i64)>>,
}

impl TokenVerifier {
    pub(super) fn new(keys: Keys, env: Env, publishable_key: String) -> Self {
        Self {
            keys,
            env,
            publishable_key: publishable_key.into(),
            verified: Arc::new(Cache::new(4096)),
        }
    }

    fn verify(&self, token: &str) -> Result<(Identity, i64)> {
        let bad = |details: &str| {
            Error::unauthenticated("auth.token_invalid", "The access token is not good.")
                .details(details)
                .hint("Sign in again.")
        };
        if token.len() > MAX_BYTES {
            return Err(bad("It is too long."));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| bad("It is no JSON Web Token."))?;
        let key = header.kid.as_deref().and_then(|kid| self.keys.by_kid(kid));
        let key = key.ok_or_else(|| bad("It was signed with an unknown key."))?;
        // The algorithm is ours, never the token's; time is checked by the caller against the passed-in clock.
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&["authenticated"]);
        validation.validate_exp = false;
        let claims: Value = jsonwebtoken::decode(token, &key.verifying, &validation)
            .map_err(|_| bad("Its signature or its audience is wrong."))?
            .claims;
        let text = claims.to_string();
        let claims: Claims = serde_json::from_value(claims).map_err(|_| bad("It lacks a claim."))?;
        let identity = Identity {
            role: "authenticated",
            user: Some(UserId(claims.sub)),
            session: Some(claims.session_id),
            key: None,
            claims: text.into(),
        };
        Ok((identity, claims.exp))
    }
}

#[async_trait::async_trait]
impl Authenticator for TokenVerifier {
    async fn authenticate(&self, bearer: &str) -> Result<Identity> {
        if bearer == &*self.publishable_key {
            return Ok(Identity::anonymous());
        }
        let (identity, expires) = if let Some(known) = self.verified.get(bearer) {
            known
        } else {
            let verified = self.verify(bearer)?;
            self.verified.insert(bearer.to_owned(), verified.clone());
            verified
        };
        if self.env.now().as_second() > expires + SKEW_SECONDS {
            self.verified.remove(bearer);
            return Err(
                Error::unauthenticated("auth.token_expired", "The access token has expired.")
                    .hint("Refresh the session."),
            );
        }
        Ok(identity)
    }
}
