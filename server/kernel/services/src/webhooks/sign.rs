//! Signatures of Standard Webhooks, and the form of their secrets.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tenon_sdk::{Error, Result, env::Env, secrets::Plain};

/// Bytes of a secret; the standard wants 24 to 64.
const BYTES: usize = 32;

/// A new secret.
pub(super) fn new_secret(env: &Env) -> Plain {
    let mut bytes = vec![0; BYTES];
    env.fill_random(&mut bytes);
    Plain::new(bytes)
}

/// A secret as receivers are given it.
pub(super) fn shown(secret: &Plain) -> String {
    format!("whsec_{}", STANDARD.encode(secret.expose()))
}

/// `v1,` and the HMAC of a message, its id and the moment it is sent.
pub(crate) fn signature(key: &[u8], id: &str, at: &str, body: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(Error::internal)?;
    for part in [id, ".", at, ".", body] {
        mac.update(part.as_bytes());
    }
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_with_its_mark_and_none_is_like_another() {
        let (one, two) = (new_secret(&Env::real()), new_secret(&Env::real()));
        let key = STANDARD
            .decode(shown(&one).strip_prefix("whsec_").unwrap())
            .unwrap();
        assert_eq!((key.len(), key.as_slice()), (BYTES, one.expose()));
        assert_ne!(one.expose(), two.expose());
    }
}
