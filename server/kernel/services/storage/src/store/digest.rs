//! MD5, as `ETag`s of S3 are made: it tells contents apart and is no protection.

use md5::{Digest, Md5};
use tenon_sdk::hex;

/// The digest of bytes.
pub(super) fn of(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// The `ETag` of content that came in parts, from theirs.
pub(super) fn of_parts<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut whole = Md5::new();
    let mut number = 0;
    for part in parts {
        match bytes_of(part) {
            Some(bytes) => whole.update(bytes),
            // A service's own sort of ETag.
            None => whole.update(Md5::digest(part)),
        }
        number += 1;
    }
    format!("{}-{number}", hex(&whole.finalize()))
}

fn bytes_of(digest: &str) -> Option<[u8; 16]> {
    let value = (digest.len() == 32).then(|| u128::from_str_radix(digest, 16).ok())??;
    Some(value.to_be_bytes())
}
