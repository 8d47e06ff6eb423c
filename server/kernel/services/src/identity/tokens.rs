//! Access tokens: signed JWTs, verified once and remembered until they expire.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};
use tenon_sdk::{Error, Result, UserId, config::Auth, ctx::Identity, env::Env, kernel::Authenticator};
use uuid::Uuid;

use super::{errors, keys::Keys, sessions::Session, users::User};

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
    /// The program that acts for the person, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<Uuid>,
    /// What the person granted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<String>,
}

impl Claims {
    pub(super) fn new(user: &User, session: &Session, issuer: &str, now: i64, lifetime: i64) -> Self {
        Self {
            iss: issuer.to_owned(),
            sub: user.id,
            aud: AUDIENCE.into(),
            exp: now + lifetime,
            iat: now,
            email: user.email.clone().unwrap_or_default(),
            phone: user.phone.clone().unwrap_or_default(),
            app_metadata: user.about.app.clone(),
            user_metadata: user.about.person.clone(),
            role: "authenticated".into(),
            aal: session.aal.clone(),
            amr: session.amr.clone(),
            session_id: session.id,
            is_anonymous: user.anonymous,
            client_id: None,
            scope: None,
        }
    }
}

/// The left half of a token's digest, as `at_hash` has it beside a signature with that algorithm (`OpenID` Connect Core, 3.1.3.6).
pub(super) fn half_hash(algorithm: Algorithm, token: &str) -> String {
    match algorithm {
        // Ed25519 signs with SHA-512 inside.
        Algorithm::EdDSA => URL_SAFE_NO_PAD.encode(&Sha512::digest(token)[..32]),
        _ => URL_SAFE_NO_PAD.encode(&Sha256::digest(token)[..16]),
    }
}

pub(super) async fn sign(keys: &Keys, claims: &impl Serialize) -> Result<String> {
    let key = keys.signing().await?;
    let header = Header {
        kid: Some(key.kid.clone()),
        ..Header::new(key.algorithm)
    };
    let signing = key
        .signing
        .as_ref()
        .ok_or_else(|| Error::internal("the key does not sign"))?;
    jsonwebtoken::encode(&header, claims, signing).map_err(Error::internal)
}

/// What is looked at of a token's claims; policies may read the others.
#[derive(Debug, Deserialize)]
struct Shown {
    role: String,
    sub: Option<String>,
    session_id: Option<Uuid>,
    #[serde(default)]
    aud: Audience,
    exp: Option<i64>,
    nbf: Option<i64>,
    iat: Option<i64>,
}

/// One audience or several.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Audience {
    #[default]
    Nobody,
    One(String),
    Several(Vec<String>),
}

impl Audience {
    /// Whether a token for this audience is for Tenon. Keys of an installation name none.
    fn admits(&self) -> bool {
        match self {
            Self::Nobody => true,
            Self::One(name) => name.is_empty() || name == AUDIENCE,
            Self::Several(names) => names.iter().any(|name| name == AUDIENCE),
        }
    }
}

const AUDIENCE: &str = "authenticated";

#[derive(Clone)]
struct Verified {
    identity: Identity,
    /// Seconds since 1970 between which it is good.
    from: i64,
    until: i64,
    generation: u64,
}

/// Verifies tokens. Checking a signature costs more than a database round trip, so a verified token is remembered.
#[derive(Clone)]
pub struct TokenVerifier {
    keys: Keys,
    env: Env,
    publishable_key: Arc<str>,
    /// SHA-256 of the secret key, so that comparing tells nothing of it.
    secret_key: Option<[u8; 32]>,
    verified: Arc<Cache<String, Verified>>,
}

impl TokenVerifier {
    pub(super) fn new(keys: Keys, env: Env, auth: &Auth) -> Self {
        let secret_key =
            (!auth.secret_key.is_empty()).then(|| Sha256::digest(auth.secret_key.expose()).into());
        Self {
            keys,
            env,
            publishable_key: auth.publishable_key.as_str().into(),
            secret_key,
            verified: Arc::new(Cache::new(4096)),
        }
    }

    async fn verify(&self, token: &str) -> Result<Verified> {
        if token.len() > MAX_BYTES {
            return Err(bad("It is too long."));
        }
        let generation = self.keys.generation();
        let header = jsonwebtoken::decode_header(token).map_err(|_| bad("It is no JSON Web Token."))?;
        // A token that names no key can only be of the shared secret.
        let key = match &header.kid {
            Some(kid) => self.keys.by_kid(kid).await?,
            None => self.keys.legacy().cloned(),
        };
        let key = key.ok_or_else(|| bad("It was signed with an unknown key."))?;
        // The algorithm is the key's, never the token's; time is checked against the passed-in clock, the audience below.
        let mut validation = Validation::new(key.algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let claims: Value = jsonwebtoken::decode(token, &key.verifying, &validation)
            .map_err(|_| bad("Its signature is wrong."))?
            .claims;
        let text = claims.to_string();
        let shown: Shown = serde_json::from_value(claims).map_err(|_| bad("It lacks a claim."))?;
        if !shown.aud.admits() {
            return Err(bad("It is meant for somebody else."));
        }
        let (role, user) = match shown.role.as_str() {
            "anon" => ("anon", None),
            "service_role" | "supabase_admin" => ("service_role", None),
            "authenticated" => {
                let user = shown.sub.as_deref().and_then(|sub| sub.parse().ok());
                let user = user.ok_or_else(|| bad("It names nobody."))?;
                if shown.exp.is_none() {
                    return Err(bad("It never expires."));
                }
                ("authenticated", Some(UserId(user)))
            }
            _ => return Err(bad("It names no role that is known here.")),
        };
        Ok(Verified {
            identity: Identity {
                role,
                user,
                session: shown.session_id.filter(|_| user.is_some()),
                key: None,
                claims: text.into(),
            },
            from: shown.nbf.max(shown.iat).unwrap_or(i64::MIN),
            until: shown.exp.unwrap_or(i64::MAX),
            generation,
        })
    }

    fn service_key(&self, bearer: &str) -> bool {
        self.secret_key
            .is_some_and(|hash| hash == <[u8; 32]>::from(Sha256::digest(bearer)))
    }
}

fn bad(details: &str) -> Error {
    // The words of GoTrue, which clients look for.
    Error::unauthenticated(
        "auth.token_invalid",
        "invalid JWT: unable to parse or verify signature",
    )
    .details(details)
    .hint("Sign in again.")
}

#[async_trait::async_trait]
impl Authenticator for TokenVerifier {
    async fn authenticate(&self, bearer: &str) -> Result<Identity> {
        if bearer == &*self.publishable_key {
            return Ok(Identity::anonymous());
        }
        let known = self.verified.get(bearer);
        self.keys.keep_fresh().await?;
        let generation = self.keys.generation();
        let verified = if let Some(known) = known.filter(|known| known.generation == generation) {
            known
        } else if self.service_key(bearer) {
            return Ok(Identity::service());
        } else {
            let verified = self.verify(bearer).await?;
            self.verified.insert(bearer.to_owned(), verified.clone());
            verified
        };
        let now = self.env.now().as_second();
        if now > verified.until.saturating_add(SKEW_SECONDS) {
            self.verified.remove(bearer);
            return Err(
                Error::unauthenticated("auth.token_expired", "The access token has expired.")
                    .hint("Refresh the session."),
            );
        }
        if now < verified.from.saturating_sub(SKEW_SECONDS) {
            return Err(bad("It is not good yet."));
        }
        Ok(verified.identity)
    }

    fn refusal(&self, path: &str, error: Error) -> Error {
        errors::bad_token(path, error)
    }
}
