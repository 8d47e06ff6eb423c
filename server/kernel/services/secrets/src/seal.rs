//! The seal itself: AES-256-GCM with a random nonce, its place as associated data. Nothing here knows where keys come from.

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use tenon_sdk::{
    OrgId, Result,
    env::Env,
    secrets::{Place, Plain, Sealed, unreadable},
};
use zeroize::Zeroizing;

/// The form of sealed values: this byte, the data key's version (big endian, 32 bits), the nonce, what the cipher gives.
const FORM: u8 = 1;
const NONCE: usize = 12;
/// Bytes of a key.
pub const KEY: usize = 32;

/// 256 bits, wiped when they are let go.
pub type Key = Zeroizing<[u8; KEY]>;

/// A data key, ready to seal and to open.
pub struct DataKey {
    version: i32,
    cipher: Aes256Gcm,
}

impl DataKey {
    /// One with this version; a key's cipher wipes itself, too.
    pub fn new(version: i32, key: &Key) -> Self {
        Self {
            version,
            cipher: Aes256Gcm::new((&**key).into()),
        }
    }

    /// Its version.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// Seals a value for its place.
    pub fn seal(&self, env: &Env, place: &Place<'_>, plain: &[u8]) -> Result<Sealed> {
        let mut sealed = mark(self.version);
        sealed.extend_from_slice(&encrypt(&self.cipher, env, &bound(place), plain)?);
        Ok(Sealed(sealed))
    }

    /// Opens what was sealed with this key for this place.
    ///
    /// Errors: `secrets.unreadable`.
    pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Plain> {
        if version(sealed)? != self.version {
            return Err(unreadable("it was sealed with another key"));
        }
        decrypt(&self.cipher, &bound(place), &sealed.0[5..])
    }
}

/// The version of the data key that sealed a value.
///
/// Errors: `secrets.unreadable`.
pub fn version(sealed: &Sealed) -> Result<i32> {
    match sealed.0.as_slice() {
        [FORM, a, b, c, d, rest @ ..] if rest.len() >= NONCE => Ok(i32::from_be_bytes([*a, *b, *c, *d])),
        _ => Err(unreadable("it is no sealed value")),
    }
}

/// What every value begins with that was sealed by a version of a data key.
pub(crate) fn mark(version: i32) -> Vec<u8> {
    [[FORM].as_slice(), &version.to_be_bytes()].concat()
}

/// A nonce, and what the cipher gives.
pub(crate) fn encrypt(cipher: &Aes256Gcm, env: &Env, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE];
    env.fill_random(&mut nonce);
    let payload = Payload {
        msg: plain,
        aad: bound,
    };
    let sealed = cipher
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| tenon_sdk::Error::internal("a value is too long to be sealed"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// The other way.
pub(crate) fn decrypt(cipher: &Aes256Gcm, bound: &[u8], sealed: &[u8]) -> Result<Plain> {
    let (nonce, sealed) = sealed
        .split_first_chunk::<NONCE>()
        .ok_or_else(|| unreadable("it is too short"))?;
    let payload = Payload {
        msg: sealed,
        aad: bound,
    };
    let opened = cipher.decrypt(&Nonce::from(*nonce), payload);
    opened
        .map(Plain::new)
        .map_err(|_| unreadable("it was sealed for another place, or has been changed"))
}

/// Whose key it is: the same words for every value of an organisation and purpose.
pub(crate) fn scope(org: Option<OrgId>, purpose: &str) -> Vec<u8> {
    let org = org.map_or_else(|| "-".to_owned(), |org| org.to_string());
    joined(&["tenon scope 1", &org, purpose])
}

fn bound(place: &Place<'_>) -> Vec<u8> {
    let org = place.org.map_or_else(|| "-".to_owned(), |org| org.to_string());
    joined(&["tenon value 1", &org, place.purpose, place.column, place.row])
}

/// Each part with its length, so that no two lists of parts look the same.
fn joined(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    for part in parts {
        bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn key(byte: u8) -> DataKey {
        DataKey::new(1, &Zeroizing::new([byte; KEY]))
    }

    fn place<'a>(org: u128, column: &'a str, row: &'a str) -> Place<'a> {
        Place {
            org: (org > 0).then(|| OrgId(Uuid::from_u128(org))),
            purpose: "test",
            column,
            row,
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_at_its_place_only(
            plain in proptest::collection::vec(any::<u8>(), 0..500),
            places in proptest::collection::vec((0_u128..3, "[a-c.]{0,4}", "[0-9a-c.]{0,4}"), 2),
        ) {
            let env = Env::real();
            let [here, there] = [&places[0], &places[1]].map(|(org, column, row)| place(*org, column, row));
            let sealed = key(1).seal(&env, &here, &plain).unwrap();
            let opened = key(1).open(&here, &sealed).unwrap();
            prop_assert_eq!(opened.expose(), &plain);
            prop_assert!(key(2).open(&here, &sealed).is_err());
            prop_assert_eq!(key(1).open(&there, &sealed).is_ok(), places[0] == places[1]);
        }

        #[test]
        fn a_changed_value_does_not_open(at in 0_usize..60, bit in 0_u32..8) {
            let here = place(1, "column", "row");
            let mut sealed = key(1).seal(&Env::real(), &here, b"some value that is long").unwrap();
            let at = at % sealed.0.len();
            sealed.0[at] ^= 1 << bit;
            prop_assert_eq!(&*key(1).open(&here, &sealed).unwrap_err().code, "secrets.unreadable");
        }

        #[test]
        fn rubbish_is_refused_and_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(key(1).open(&place(0, "c", "r"), &Sealed(bytes)).is_err());
        }
    }

    #[test]
    fn the_same_value_never_looks_the_same() {
        let (env, here) = (Env::real(), place(1, "c", "r"));
        assert_ne!(
            key(1).seal(&env, &here, b"x").unwrap(),
            key(1).seal(&env, &here, b"x").unwrap()
        );
    }

    #[test]
    fn nothing_prints_a_value() {
        assert_eq!(format!("{:?}", Plain::new(b"hunter2".to_vec())), "(secret)");
    }
}
