//! Passwords that everybody tries first, as a file in the program: see `data/README.md`.

use sha2::{Digest, Sha256};

/// The first four bytes of the SHA-256 of each, sorted.
const LIST: &[u8] = include_bytes!("../../../data/common-passwords.bin");

/// Whether a password is among them, however it is capitalised.
pub(super) fn is_common(password: &str) -> bool {
    let hash = Sha256::digest(password.trim().to_lowercase());
    let Some(wanted) = hash.first_chunk::<4>() else {
        return false;
    };
    let (known, _) = LIST.as_chunks::<4>();
    known.binary_search(wanted).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_are_known_in_any_case_and_others_are_not() {
        for common in [
            "password",
            "Password",
            "PASSWORD1",
            "12345678",
            "qwertyuiop",
            " iloveyou ",
        ] {
            assert!(is_common(common), "{common}");
        }
        for other in ["", "correct horse battery", "Zq8-unlikely-Xv2", "\u{0}"] {
            assert!(!is_common(other), "{other}");
        }
    }

    #[test]
    fn the_list_is_whole_and_sorted() {
        let (known, rest) = LIST.as_chunks::<4>();
        assert!(rest.is_empty() && known.len() > 40_000);
        assert!(known.is_sorted());
    }
}
