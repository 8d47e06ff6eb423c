//! Tokens: who signed them, whether they hold now, and which role they name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use serde_json_path::JsonPath;

use super::config::{Config, ConfigError};
use crate::error::{Error, Result};

/// Clocks may differ by so many seconds.
const SKEW: i64 = 30;

/// A passphrase has at least so many bytes.
const SHORTEST: usize = 32;

/// Checks tokens.
pub(super) struct Verifier {
    keys: Vec<Key>,
    audience: Option<String>,
    role: JsonPath,
    /// Tokens whose signature was found good. Whether they hold now is checked each time.
    cache: Option<Cache<Box<str>, Arc<Token>>>,
    asked: AtomicU64,
    hits: AtomicU64,
}

/// What a token with a good signature says.
#[derive(Debug)]
pub(super) struct Token {
    claims: Value,
    /// The role that it names.
    pub(super) role: Option<Arc<str>>,
    /// The claims as JSON, if they name the role; it is the same for each request.
    told: Option<Bytes>,
}

impl Token {
    /// The claims as JSON, for a request that has this role because they name it or no other.
    pub(super) fn claims_as(&self, role: &str) -> Bytes {
        let object = || self.claims.as_object().cloned().unwrap_or_default();
        self.told.clone().unwrap_or_else(|| claims_as(object(), role))
    }
}

/// Claims as JSON, with the role that the request has.
pub(super) fn claims_as(mut claims: Map<String, Value>, role: &str) -> Bytes {
    claims.insert("role".to_owned(), Value::from(role));
    Value::Object(claims).to_string().into()
}

struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    verifying: DecodingKey,
}

/// How the cache of tokens fared: asked, found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct CacheFigures {
    pub(super) asked: u64,
    pub(super) hits: u64,
}

impl Verifier {
    /// With the keys and rules of a configuration.
    pub(super) fn new(config: &Config) -> std::result::Result<Self, ConfigError> {
        let path = config.jwt_role_claim_key.as_str();
        let role = JsonPath::parse(path).map_err(|error| {
            ConfigError(format!(
                "failed to parse role-claim-key value ({path}): {error}; it is a JSON path such as $.role"
            ))
        })?;
        let keys = config.jwt_secret.as_deref().map_or(Ok(Vec::new()), keys)?;
        Ok(Self {
            keys,
            audience: config.jwt_aud.clone(),
            role,
            cache: (config.jwt_cache_max_entries > 0).then(|| Cache::new(config.jwt_cache_max_entries)),
            asked: AtomicU64::new(0),
            hits: AtomicU64::new(0),
        })
    }

    /// What a token says that is good at `now`, in seconds since 1970.
    pub(super) fn verify(&self, token: &str, now: i64) -> Result<Arc<Token>> {
        if token.is_empty() {
            return Err(Error::token("Empty JWT is sent in Authorization header"));
        }
        if self.keys.is_empty() {
            return Err(Error::no_secret());
        }
        let known = match self.known(token) {
            Some(known) => known,
            None => self.remember(token, self.signed(token)?),
        };
        self.holds(&known.claims, now)?;
        Ok(known)
    }

    /// What the cache did.
    pub(super) fn figures(&self) -> CacheFigures {
        CacheFigures {
            asked: self.asked.load(Ordering::Relaxed),
            hits: self.hits.load(Ordering::Relaxed),
        }
    }

    fn known(&self, token: &str) -> Option<Arc<Token>> {
        let cache = self.cache.as_ref()?;
        self.asked.fetch_add(1, Ordering::Relaxed);
        let found = cache.get(token)?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(found)
    }

    fn remember(&self, token: &str, claims: Value) -> Arc<Token> {
        let role: Option<Arc<str>> = self.role.query(&claims).first().map(|role| match role {
            Value::String(role) => role.as_str().into(),
            other => other.to_string().into(),
        });
        let object = || claims.as_object().cloned().unwrap_or_default();
        let told = role.as_deref().map(|role| claims_as(object(), role));
        let known = Arc::new(Token { claims, role, told });
        if let Some(cache) = &self.cache {
            cache.insert(token.into(), known.clone());
        }
        known
    }

    /// The claims of a token that one of the keys signed.
    fn signed(&self, token: &str) -> Result<Value> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, payload, signature] = parts.as_slice() else {
            return Err(Error::token(format!(
                "Expected 3 parts in JWT; got {}",
                parts.len()
            )));
        };
        let broken = || Error::token("JWT cryptographic operation failed");
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| broken());
        let header: Map<String, Value> = serde_json::from_slice(&decode(header)?).map_err(|_| broken())?;
        let (payload, _) = (decode(payload)?, decode(signature)?);
        let named = header.get("alg").and_then(Value::as_str).unwrap_or_default();
        if named == "none" {
            let details = "JWT is unsecured but expected 'alg' was not 'none'";
            return Err(Error::token("Wrong or unsupported encoding algorithm").details(details));
        }
        let algorithm: Algorithm = named.parse().map_err(|_| broken())?;
        let id = header.get("kid").and_then(Value::as_str);
        let fitting: Vec<&Key> = self
            .keys
            .iter()
            .filter(|key| id.is_none() || key.id.as_deref() == id)
            .filter(|key| key.algorithms.contains(&algorithm))
            .collect();
        let unsuitable = |details: &str| Error::token("No suitable key or wrong key type").details(details);
        if fitting.is_empty() {
            return Err(unsuitable("No suitable key was found to decode the JWT"));
        }
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let good = fitting.iter().any(|key| verifies(token, key, &validation));
        if !good {
            return Err(unsuitable("None of the keys was able to decode the JWT"));
        }
        serde_json::from_slice(&payload).map_err(|_| Error::claim("Parsing claims failed"))
    }

    fn holds(&self, claims: &Value, now: i64) -> Result<()> {
        let Some(claims) = claims.as_object() else {
            return Err(Error::claim("Parsing claims failed"));
        };
        let time = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(seconds(number)),
            Some(_) => Err(Error::claim(format!("The JWT '{name}' claim must be a number"))),
        };
        if time("exp")?.is_some_and(|expires| now > expires.saturating_add(SKEW)) {
            return Err(Error::claim("JWT expired"));
        }
        if time("nbf")?.is_some_and(|from| now < from.saturating_sub(SKEW)) {
            return Err(Error::claim("JWT not yet valid"));
        }
        if time("iat")?.is_some_and(|issued| now < issued.saturating_sub(SKEW)) {
            return Err(Error::claim("JWT issued at future"));
        }
        let wrong = || Error::claim("The JWT 'aud' claim must be a string or an array of strings");
        let audiences: Vec<&str> = match claims.get("aud") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(only)) => vec![only],
            Some(Value::Array(several)) => {
                let texts: Option<Vec<&str>> = several.iter().map(Value::as_str).collect();
                texts.ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        match &self.audience {
            Some(wanted) if !audiences.is_empty() && !audiences.contains(&wanted.as_str()) => {
                Err(Error::claim("JWT not in audience"))
            }
            _ => Ok(()),
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a time beyond all bounds stays beyond them"
)]
fn seconds(number: &serde_json::Number) -> Option<i64> {
    number
        .as_i64()
        .or_else(|| number.as_f64().map(|seconds| seconds.floor() as i64))
}

/// Whether a key signed a token, whatever its payload is.
fn verifies(token: &str, key: &Key, validation: &Validation) -> bool {
    let Some((message, signature)) = token.rsplit_once('.') else {
        return false;
    };
    let algorithm = validation.algorithms.first().copied().unwrap_or_default();
    jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key.verifying, algorithm).unwrap_or(false)
}

/// The keys of a secret: a key set, a key, or the passphrase itself.
fn keys(secret: &[u8]) -> std::result::Result<Vec<Key>, ConfigError> {
    if let Ok(set) = serde_json::from_slice::<JwkSet>(secret) {
        return set.keys.iter().map(key).collect();
    }
    if let Ok(only) = serde_json::from_slice::<Jwk>(secret) {
        return Ok(vec![key(&only)?]);
    }
    if secret.len() < SHORTEST {
        let reason = format!("The JWT secret must be at least {SHORTEST} characters long.");
        return Err(ConfigError(reason));
    }
    Ok(vec![Key {
        id: None,
        algorithms: vec![Algorithm::HS256],
        verifying: DecodingKey::from_secret(secret),
    }])
}

fn key(jwk: &Jwk) -> std::result::Result<Key, ConfigError> {
    let named = jwk
        .common
        .key_algorithm
        .and_then(|named| named.to_string().parse().ok());
    let algorithms = match (named, &jwk.algorithm) {
        (Some(named), _) => vec![named],
        (None, AlgorithmParameters::OctetKey(_)) => {
            vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512]
        }
        (None, AlgorithmParameters::RSA(_)) => vec![
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        (None, AlgorithmParameters::EllipticCurve(curve)) if curve.curve == EllipticCurve::P384 => {
            vec![Algorithm::ES384]
        }
        (None, AlgorithmParameters::EllipticCurve(_)) => vec![Algorithm::ES256],
        (None, AlgorithmParameters::OctetKeyPair(_)) => vec![Algorithm::EdDSA],
        (None, _) => Vec::new(),
    };
    let verifying = DecodingKey::from_jwk(jwk)
        .map_err(|error| ConfigError(format!("jwt-secret has a key that cannot be used: {error}")))?;
    Ok(Key {
        id: jwk.common.key_id.clone(),
        algorithms,
        verifying,
    })
}

/// A token of anything, and anything as the claims of a good one: neither may panic.
#[cfg(any(test, feature = "fuzz"))]
pub fn fuzz(data: &[u8]) {
    const SECRET: &str = "a passphrase of thirty-two bytes";
    let settings = [("jwt-secret".to_owned(), SECRET.to_owned())];
    let verifier = Config::new(&settings.into_iter().collect())
        .ok()
        .and_then(|config| Verifier::new(&config).ok());
    let Some(verifier) = verifier else { return };
    let _ = verifier.verify(&String::from_utf8_lossy(data), 0);
    if let Ok(claims) = serde_json::from_slice::<Value>(data) {
        let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
        if let Ok(token) = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key) {
            let _ = verifier.verify(&token, 0);
        }
    }
}

#[cfg(test)]
mod tests;
