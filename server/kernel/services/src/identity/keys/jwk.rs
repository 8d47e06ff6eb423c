//! Private keys as JSON Web Keys (RFC 7517, RFC 7518, RFC 8037) in the form the signing library takes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, jwk::Jwk};
use p256::{
    SecretKey,
    pkcs8::{EncodePrivateKey, LineEnding},
};
use pkcs1::{RsaPrivateKey, UintRef, der::Encode};
use serde_json::{Map, Value, json};
use tenon_sdk::{Error, Result};

use super::Key;

/// Members of a JWK that nobody else may see.
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 7).
const ED25519_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

fn bad(kid: &str, why: impl std::fmt::Display) -> Error {
    Error::invalid("config.invalid", format!("The signing key {kid} is not good: {why}"))
        .hint("auth.signing_keys_file holds a JSON array of JWKs of the types EC (P-256), RSA, OKP (Ed25519) and oct.")
}

/// Reads one key. It signs if it has a private half and its `key_ops`, where it has them, name `sign`.
///
/// Errors: `config.invalid` for another curve or type, for an `alg` that is not that of the type, for an RSA key of less than
/// 2048 bits, for a shared secret of less than 32 bytes.
pub(super) fn read(jwk: &Value) -> Result<Key> {
    let members = jwk.as_object().ok_or_else(|| bad("?", "it is no object"))?;
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let kid = text("kid").unwrap_or_default();
    if kid.is_empty() {
        return Err(bad("?", "it has no kid"));
    }
    let bytes = |name: &str| -> Result<Vec<u8>> {
        let encoded = text(name).ok_or_else(|| bad(kid, format!("it has no {name}")))?;
        URL_SAFE_NO_PAD
            .decode(encoded.trim_end_matches('='))
            .map_err(|_| bad(kid, format!("{name} is no base64url")))
    };
    let private = members.contains_key("d");
    let (algorithm, signing) = match (text("kty"), text("crv")) {
        (Some("EC"), Some("P-256")) => {
            let signing = private
                .then(|| {
                    let secret = SecretKey::from_slice(&bytes("d")?).map_err(|error| bad(kid, error))?;
                    ec_signing(&secret)
                })
                .transpose()?;
            (Algorithm::ES256, signing)
        }
        (Some("RSA"), _) => {
            if bytes("n")?.len() < 256 {
                return Err(bad(kid, "an RSA key has at least 2048 bits"));
            }
            let signing = private.then(|| rsa_signing(kid, &bytes)).transpose()?;
            (Algorithm::RS256, signing)
        }
        (Some("OKP"), Some("Ed25519")) => {
            let signing = private
                .then(|| {
                    let secret = bytes("d")?;
                    if secret.len() != 32 {
                        return Err(bad(kid, "d has not 32 bytes"));
                    }
                    Ok(EncodingKey::from_ed_der(&[&ED25519_PREFIX[..], &secret].concat()))
                })
                .transpose()?;
            (Algorithm::EdDSA, signing)
        }
        (Some("oct"), _) => {
            let secret = bytes("k")?;
            if secret.len() < 32 {
                return Err(bad(kid, "a shared secret has at least 32 bytes"));
            }
            (Algorithm::HS256, Some(EncodingKey::from_secret(&secret)))
        }
        _ => return Err(bad(kid, "its type or curve is not known")),
    };
    if text("alg").is_some_and(|alg| alg.parse() != Ok(algorithm)) {
        return Err(bad(kid, format!("its alg is not {algorithm:?}")));
    }
    let verifying = if algorithm == Algorithm::HS256 {
        DecodingKey::from_secret(&bytes("k")?)
    } else {
        let public: Jwk =
            serde_json::from_value(public(members, algorithm)).map_err(|error| bad(kid, error))?;
        DecodingKey::from_jwk(&public).map_err(|error| bad(kid, error))?
    };
    let may_sign = members
        .get("key_ops")
        .and_then(Value::as_array)
        .is_none_or(|operations| operations.iter().any(|operation| operation == "sign"));
    Ok(Key {
        kid: kid.to_owned(),
        algorithm,
        signing: signing.filter(|_| may_sign),
        verifying,
        public_jwk: (algorithm != Algorithm::HS256).then(|| public(members, algorithm)),
    })
}

/// The half of a key that everybody may see.
fn public(members: &Map<String, Value>, algorithm: Algorithm) -> Value {
    let mut public: Map<String, Value> = members
        .iter()
        .filter(|(name, _)| !PRIVATE.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    public.insert("alg".into(), json!(format!("{algorithm:?}")));
    public.insert("use".into(), json!("sig"));
    public.insert("key_ops".into(), json!(["verify"]));
    Value::Object(public)
}

/// A P-256 key as the signing library takes it.
pub(super) fn ec_signing(secret: &SecretKey) -> Result<EncodingKey> {
    let pem = secret.to_pkcs8_pem(LineEnding::LF).map_err(Error::internal)?;
    EncodingKey::from_ec_pem(pem.as_bytes()).map_err(Error::internal)
}

fn rsa_signing(kid: &str, bytes: &impl Fn(&str) -> Result<Vec<u8>>) -> Result<EncodingKey> {
    let parts = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map(bytes);
    let parts = parts.into_iter().collect::<Result<Vec<_>>>()?;
    let number = |at: usize| UintRef::new(&parts[at]).map_err(|error| bad(kid, error));
    let der = RsaPrivateKey {
        modulus: number(0)?,
        public_exponent: number(1)?,
        private_exponent: number(2)?,
        prime1: number(3)?,
        prime2: number(4)?,
        exponent1: number(5)?,
        exponent2: number(6)?,
        coefficient: number(7)?,
        other_prime_infos: None,
    }
    .to_der()
    .map_err(|error| bad(kid, error))?;
    Ok(EncodingKey::from_rsa_der(&der))
}
