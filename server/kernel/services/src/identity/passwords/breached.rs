//! Passwords of published breaches, asked for at a range API: the first five digits of a hash go out, the rest stays here (k-anonymity),
//! and the length of the answer tells nothing (padding).

use std::time::Duration;

use sha1::{Digest, Sha1};
use tenon_sdk::{
    Error, Result,
    outbound::{Answer, Request},
};

use crate::identity::Identity;

/// Somebody waits for the answer.
const TIME: Duration = Duration::from_secs(2);

/// An error if a password is known from a breach. What cannot be asked is logged, and let pass unless the settings say otherwise.
///
/// Errors: `weak_password` with the reason `pwned`; `breached_passwords_unavailable`.
pub(in crate::identity) async fn check_online(identity: &Identity, password: &str) -> Result<()> {
    let auth = &identity.0.config.auth;
    let base = &auth.breached_passwords_url;
    if base.is_empty() {
        return Ok(());
    }
    let hash = tenon_sdk::hex(&Sha1::digest(password.as_bytes())).to_uppercase();
    let (range, rest) = hash.split_at(5);
    let request = Request::get(format!("{}/{range}", base.trim_end_matches('/')))
        .header("add-padding", "true")
        .within(TIME);
    let answer = identity.0.outbound.send(request).await.and_then(Answer::ok);
    match answer {
        Ok(answer) if lists(&String::from_utf8_lossy(&answer.body), rest) => Err(Error::unprocessable(
            "weak_password",
            "Password is known to be weak and easy to guess, please choose a different one.",
        )
        .details("pwned")),
        Ok(_) => Ok(()),
        Err(error) => {
            let passes = !auth.breached_passwords_required;
            tracing::warn!(%error, passes, "breached passwords could not be asked for");
            if passes {
                return Ok(());
            }
            Err(Error::unavailable(
                "breached_passwords_unavailable",
                "The password cannot be checked at the moment.",
            )
            .hint("Try again later."))
        }
    }
}

/// Whether a range has the rest of a hash; lines for padding have the count 0.
fn lists(range: &str, rest: &str) -> bool {
    range.lines().any(|line| {
        line.trim()
            .split_once(':')
            .is_some_and(|(suffix, count)| suffix.eq_ignore_ascii_case(rest) && count.trim() != "0")
    })
}

#[cfg(test)]
mod tests {
    use super::lists;

    #[test]
    fn a_hash_counts_where_its_rest_is_listed_and_not_as_padding() {
        let range = "0018A45C4D1DEF81644B54AB7F969B88D65:10\r\n00D4F6E8FA6EECAD2A3AA415EEC418D38EC:0\r\n";
        assert!(lists(range, "0018A45C4D1DEF81644B54AB7F969B88D65"));
        assert!(!lists(range, "00D4F6E8FA6EECAD2A3AA415EEC418D38EC"));
        assert!(!lists(range, "FFFF"));
        assert!(!lists("<html>", "html"));
    }
}
