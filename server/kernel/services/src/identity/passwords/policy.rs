//! What a new password has to be like. Whoever has an older one keeps it.

use tenon_sdk::{Error, Result, config::CharacterClass};

use super::{MAX_BYTES, common};
use crate::identity::Identity;

/// Checks a new password.
///
/// Errors: `weak_password`, whose details are the reasons, of `length`, `characters` and `pwned`, with commas between.
pub(in crate::identity) fn check(identity: &Identity, password: &str) -> Result<()> {
    let auth = &identity.0.config.auth;
    let (mut reasons, mut words) = (Vec::new(), Vec::new());
    if password.chars().count() < auth.password_min_length {
        reasons.push("length");
        words.push(format!(
            "Password should be at least {} characters.",
            auth.password_min_length
        ));
    } else if password.len() > MAX_BYTES {
        reasons.push("length");
        words.push("Password is too long.".to_owned());
    }
    let missing: Vec<_> = auth
        .password_characters
        .iter()
        .filter(|class| !password.chars().any(|c| has(**class, c)))
        .collect();
    if !missing.is_empty() {
        reasons.push("characters");
        let kinds: Vec<_> = auth
            .password_characters
            .iter()
            .map(|class| name(*class))
            .collect();
        words.push(format!(
            "Password should contain at least one character of each: {}.",
            kinds.join(", ")
        ));
    }
    if reasons.is_empty() && auth.refuse_common_passwords && common::is_common(password) {
        reasons.push("pwned");
        words.push(
            "Password is known to be weak and easy to guess, please choose a different one.".to_owned(),
        );
    }
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Error::unprocessable("weak_password", words.join(" ")).details(reasons.join(",")))
}

fn has(class: CharacterClass, c: char) -> bool {
    match class {
        CharacterClass::Letter => c.is_alphabetic(),
        CharacterClass::Lower => c.is_lowercase(),
        CharacterClass::Upper => c.is_uppercase(),
        CharacterClass::Digit => c.is_numeric(),
        CharacterClass::Symbol => !c.is_alphanumeric(),
    }
}

const fn name(class: CharacterClass) -> &'static str {
    match class {
        CharacterClass::Letter => "letters",
        CharacterClass::Lower => "lower-case letters",
        CharacterClass::Upper => "upper-case letters",
        CharacterClass::Digit => "digits",
        CharacterClass::Symbol => "symbols",
    }
}
