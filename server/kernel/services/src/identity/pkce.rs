//! Proof key for code exchange (RFC 7636): the client keeps a secret, the verifier, and sends its challenge ahead. A link then
//! carries a code instead of a session, and the code is worth nothing without the verifier.

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tenon_sdk::{Error, Result, SystemTx};
use uuid::Uuid;

use super::{
    Identity,
    sessions::{self, Method},
};

/// How long a code waits for its exchange.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// How the challenge was made of the verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Derivation {
    /// BASE64URL(SHA256(verifier)).
    S256,
    /// The verifier itself.
    Plain,
}

impl Derivation {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "s256" | "S256" => Some(Self::S256),
            "plain" => Some(Self::Plain),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::S256 => "s256",
            Self::Plain => "plain",
        }
    }
}

/// What a client sends ahead with whatever ends in a link.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// A challenge that a code has to meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    value: String,
    derivation: Derivation,
}

impl Asked {
    /// What stands in a query rather than in a body.
    pub(super) const fn new(code_challenge: Option<String>, code_challenge_method: Option<String>) -> Self {
        Self {
            code_challenge,
            code_challenge_method,
        }
    }

    /// The challenge, if there is one.
    ///
    /// Errors: `validation_failed` if it is not 43 to 128 unreserved characters or its method is unknown.
    pub(super) fn challenge(self) -> Result<Option<Challenge>> {
        let Some(value) = self.code_challenge.filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let derivation = Derivation::parse(self.code_challenge_method.as_deref().unwrap_or_default());
        match derivation {
            Some(derivation) if well_formed(&value) => Ok(Some(Challenge { value, derivation })),
            _ => Err(
                Error::invalid("validation_failed", "code challenge does not match requirements").hint(
                    "43 to 128 characters of A-Z a-z 0-9 - . _ ~, with code_challenge_method s256 or plain.",
                ),
            ),
        }
    }
}

fn well_formed(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

impl Challenge {
    /// As two columns keep it.
    pub(super) fn stored(challenge: Option<&Self>) -> (Option<&str>, Option<&'static str>) {
        challenge.map_or((None, None), |challenge| {
            (Some(&challenge.value), Some(challenge.derivation.name()))
        })
    }

    /// Of two columns.
    pub(super) fn read(value: Option<String>, derivation: Option<&str>) -> Option<Self> {
        let derivation = Derivation::parse(derivation?)?;
        Some(Self {
            value: value?,
            derivation,
        })
    }

    fn met_by(&self, verifier: &str) -> bool {
        match self.derivation {
            Derivation::S256 => met(&self.value, verifier),
            Derivation::Plain => well_formed(verifier) && verifier == self.value,
        }
    }
}

/// Whether a challenge is BASE64URL(SHA256(verifier)).
pub(super) fn met(challenge: &str, verifier: &str) -> bool {
    well_formed(verifier) && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

fn hash(code: &str) -> Vec<u8> {
    Sha256::digest(code.as_bytes()).to_vec()
}

/// Makes a code for somebody who has shown who they are by `method`, as part of `tx`. What the code unlocks beside the session
/// (a provider's tokens) is stored encrypted with it.
pub(super) async fn issue(
    identity: &Identity,
    tx: &SystemTx,
    user: Uuid,
    challenge: &Challenge,
    method: Method,
    unlocks: Option<&Value>,
) -> Result<String> {
    let (code, now) = (identity.0.env.new_secret::<24>(), identity.0.env.now());
    tx.execute("delete from auth.flow_states where expires_at <= $1", &[&now])
        .await?;
    tx.execute(
        "insert into auth.flow_states \
         (auth_code_hash, user_id, code_challenge, code_challenge_method, expires_at, method, sealed) \
         values ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &hash(&code),
            &user,
            &challenge.value,
            &challenge.derivation.name(),
            &(now + LIFETIME),
            &method.name(),
            &unlocks.map(|value| seal(&code, value)).transpose()?,
        ],
    )
    .await?;
    Ok(code)
}

/// Exchanges a code and its verifier for a session. A code is good for one try.
pub(super) async fn exchange(
    identity: &Identity,
    code: &str,
    verifier: &str,
    user_agent: Option<&str>,
) -> Result<Value> {
    let tx = SystemTx::begin(&identity.0.db, "code exchange").await?;
    let row = tx
        .query_opt(
            "delete from auth.flow_states where auth_code_hash = $1 \
             returning user_id, code_challenge, code_challenge_method, expires_at, method, sealed",
            &[&hash(code)],
        )
        .await?
        .ok_or_else(|| {
            Error::not_found(
                "flow_state_not_found",
                "invalid flow state, no valid flow state found",
            )
            .hint("Ask for another link.")
        })?;
    let user: Uuid = row.try_get(0)?;
    let challenge = Challenge::read(row.try_get(1)?, row.try_get(2)?);
    let fault = if row.try_get::<_, Timestamp>(3)? <= identity.0.env.now() {
        Some(Error::invalid(
            "flow_state_expired",
            "invalid flow state, flow state has expired",
        ))
    } else if challenge.is_none_or(|challenge| !challenge.met_by(verifier)) {
        Some(Error::invalid(
            "bad_code_verifier",
            "code challenge does not match previously saved code verifier",
        ))
    } else {
        None
    };
    if let Some(fault) = fault {
        tx.commit().await?;
        return Err(fault.hint("Ask for another link."));
    }
    let method = match row.try_get(4)? {
        "oauth" => Method::OAuth,
        _ => Method::Otp,
    };
    let unlocked = match row.try_get::<_, Option<Vec<u8>>>(5)? {
        Some(sealed) => unseal(code, &sealed)?,
        None => Value::Null,
    };
    let mut session = sessions::open(identity, tx, user, method, user_agent).await?;
    if let (Some(session), Value::Object(more)) = (session.as_object_mut(), unlocked) {
        session.extend(more);
    }
    Ok(session)
}

/// AES-256-GCM under the code, of which only another hash is stored. A code seals one thing, so that the nonce may stand still.
fn cipher(code: &str) -> Aes256Gcm {
    let key = Sha256::new()
        .chain_update("what a code unlocks\0")
        .chain_update(code)
        .finalize();
    Aes256Gcm::new(&<[u8; 32]>::from(key).into())
}

fn seal(code: &str, value: &Value) -> Result<Vec<u8>> {
    let text = value.to_string();
    cipher(code)
        .encrypt(&Nonce::default(), text.as_bytes())
        .map_err(Error::internal)
}

fn unseal(code: &str, sealed: &[u8]) -> Result<Value> {
    let text = cipher(code)
        .decrypt(&Nonce::default(), sealed)
        .map_err(Error::internal)?;
    serde_json::from_slice(&text).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(challenge: &str, method: &str) -> Asked {
        Asked {
            code_challenge: Some(challenge.into()),
            code_challenge_method: Some(method.into()),
        }
    }

    #[test]
    fn the_example_of_the_standard_holds() {
        // RFC 7636, appendix B.
        let challenge = asked("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "s256").challenge();
        let challenge = challenge.unwrap().unwrap();
        assert!(challenge.met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"));
        assert!(!challenge.met_by(""));
        assert!(!challenge.met_by("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    }

    #[test]
    fn what_is_sealed_with_a_code_is_read_with_it_alone() {
        let value = serde_json::json!({ "provider_token": "secret" });
        let sealed = seal("one", &value).unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(unseal("one", &sealed).unwrap(), value);
        assert!(unseal("two", &sealed).is_err());
    }

    #[test]
    fn a_challenge_is_whole_or_refused() {
        let long = "a".repeat(43);
        assert!(Asked::default().challenge().unwrap().is_none());
        assert!(asked("", "").challenge().unwrap().is_none());
        assert!(asked(&long, "plain").challenge().unwrap().is_some());
        for (challenge, method) in [
            ("short", "s256"),
            (&*"a".repeat(129), "s256"),
            (&*format!("{long} "), "s256"),
            (&*long, ""),
            (&*long, "none"),
        ] {
            assert_eq!(
                asked(challenge, method).challenge().unwrap_err().code,
                "validation_failed"
            );
        }
    }
}
