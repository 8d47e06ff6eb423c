//! Tokens: who signed them, whether they hold now, and which role they name.

use std::sync::Arc;

use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use quick_cache::sync::Cache;
use serde_json::Value;

use super::config::{Config, ConfigError};
use super::path::RolePath;
use crate::error::{Error, Result};

/// Clocks may differ by so many seconds.
const SKEW: i64 = 30;

/// Checks tokens.
pub(super) struct Verifier {
    keys: Vec<Key>,
    audience: Option<String>,
    path: RolePath,
    /// Tokens whose signature was found good. Whether they hold now is checked each time.
    cache: Option<Cache<Box<str>, Arc<Value>>>,
}

struct Key {
    id: Option<String>,
    algorithm: Option<Algorithm>,
    verifying: DecodingKey,
}

impl Verifier {
    /// With the keys and rules of a configuration.
    pub(super) fn new(config: &Config) -> std::result::Result<Self, ConfigError> {
        let path = RolePath::parse(&config.jwt_role_claim_key).ok_or_else(|| {
            ConfigError(format!(
                "failed to parse role-claim-key value ({})",
                config.jwt_role_claim_key
            ))
        })?;
        let keys = config.jwt_secret.as_deref().map_or(Ok(Vec::new()), keys)?;
        Ok(Self {
            keys,
            audience: config.jwt_aud.clone(),
            path,
            cache: (config.jwt_cache_max_entries > 0).then(|| Cache::new(config.jwt_cache_max_entries)),
        })
    }

    /// The claims of a token that is good at `now`, in seconds since 1970, and the role that they name.
    pub(super) fn verify(&self, token: &str, now: i64) -> Result<(Arc<Value>, Option<String>)> {
        if token.is_empty() {
            return Err(Error::token("Empty JWT is sent in Authorization header"));
        }
        if self.keys.is_empty() {
            return Err(Error::no_secret());
        }
        let known = self.cache.as_ref().and_then(|cache| cache.get(token));
        let claims = if let Some(claims) = known {
            claims
        } else {
            let claims = Arc::new(self.signed(token)?);
            if let Some(cache) = &self.cache {
                cache.insert(token.into(), claims.clone());
            }
            claims
        };
        self.holds(&claims, now)?;
        let role = self.path.find(&claims);
        Ok((claims, role))
    }

    /// The claims of a token that one of the keys signed.
    fn signed(&self, token: &str) -> Result<Value> {
        let parts = token.split('.').count();
        if parts != 3 {
            return Err(Error::token(format!("Expected 3 parts in JWT; got {parts}")));
        }
        let header =
            jsonwebtoken::decode_header(token).map_err(|_| Error::token("JWT couldn't be decoded"))?;
        let mut validation = Validation::new(header.alg);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let fitting = self.keys.iter().filter(|key| {
            let same_id = header.kid.is_none() || key.id == header.kid;
            same_id && key.algorithm.is_none_or(|algorithm| algorithm == header.alg)
        });
        let mut tried = false;
        for key in fitting {
            tried = true;
            if let Ok(data) = jsonwebtoken::decode::<Value>(token, &key.verifying, &validation) {
                return Ok(data.claims);
            }
        }
        let details = if tried {
            "None of the keys was able to decode the JWT"
        } else {
            "No suitable key was found to decode the JWT"
        };
        Err(Error::token("No suitable key or wrong key type").details(details))
    }

    fn holds(&self, claims: &Value, now: i64) -> Result<()> {
        let Some(claims) = claims.as_object() else {
            return Err(Error::claim("Parsing claims failed"));
        };
        let time = |name: &str| match claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => {
                #[allow(
                    clippy::cast_possible_truncation,
                    reason = "a time beyond all bounds stays beyond them"
                )]
                let seconds = number
                    .as_i64()
                    .or_else(|| number.as_f64().map(|seconds| seconds.floor() as i64));
                Ok(seconds)
            }
            Some(_) => Err(Error::claim(format!("The JWT '{name}' claim must be a number"))),
        };
        let (expires, from, issued) = (time("exp")?, time("nbf")?, time("iat")?);
        if expires.is_some_and(|expires| now > expires.saturating_add(SKEW)) {
            return Err(Error::claim("JWT expired"));
        }
        if from.is_some_and(|from| now < from.saturating_sub(SKEW)) {
            return Err(Error::claim("JWT not yet valid"));
        }
        if issued.is_some_and(|issued| now < issued.saturating_sub(SKEW)) {
            return Err(Error::claim("JWT issued at future"));
        }
        let audiences: Vec<&str> = match claims.get("aud") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(only)) => vec![only],
            Some(Value::Array(several)) => several
                .iter()
                .map(Value::as_str)
                .collect::<Option<_>>()
                .ok_or_else(wrong_audience)?,
            Some(_) => return Err(wrong_audience()),
        };
        match &self.audience {
            Some(wanted) if !audiences.is_empty() && !audiences.contains(&wanted.as_str()) => {
                Err(Error::claim("JWT not in audience"))
            }
            _ => Ok(()),
        }
    }
}

fn wrong_audience() -> Error {
    Error::claim("The JWT 'aud' claim must be a string or an array of strings")
}

/// The keys of a secret: a key set, a key, or the passphrase itself.
fn keys(secret: &[u8]) -> std::result::Result<Vec<Key>, ConfigError> {
    if let Ok(set) = serde_json::from_slice::<JwkSet>(secret) {
        return set.keys.iter().map(key).collect();
    }
    if let Ok(only) = serde_json::from_slice::<Jwk>(secret) {
        return Ok(vec![key(&only)?]);
    }
    if secret.len() < 32 {
        return Err(ConfigError(
            "The JWT secret must be at least 32 characters long.".to_owned(),
        ));
    }
    Ok(vec![Key {
        id: None,
        algorithm: Some(Algorithm::HS256),
        verifying: DecodingKey::from_secret(secret),
    }])
}

fn key(jwk: &Jwk) -> std::result::Result<Key, ConfigError> {
    let unusable = |error| ConfigError(format!("jwt-secret has a key that cannot be used: {error}"));
    Ok(Key {
        id: jwk.common.key_id.clone(),
        algorithm: jwk.common.key_algorithm.and_then(algorithm),
        verifying: DecodingKey::from_jwk(jwk).map_err(unusable)?,
    })
}

fn algorithm(named: KeyAlgorithm) -> Option<Algorithm> {
    named.to_string().parse().ok()
}
