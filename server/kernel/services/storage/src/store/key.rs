//! What a key may look like. Keys are made by the server; this is the last look before they become paths.

use tenon_sdk::{Error, Result};

const LONGEST: usize = 512;
const LONGEST_PART: usize = 200;

/// Refuses whatever could lead anywhere else than to a place of its own.
pub(super) fn check(key: &str) -> Result<()> {
    let good = key.len() <= LONGEST && key.split('/').all(is_part);
    if good {
        Ok(())
    } else {
        Err(Error::invalid(
            "storage.bad_key",
            "This is no key of the storage service.",
        ))
    }
}

/// Whether it is one part of a key: a plain name that is neither empty nor hidden.
pub(super) fn is_part(part: &str) -> bool {
    !part.is_empty()
        && part.len() <= LONGEST_PART
        && !part.starts_with('.')
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
