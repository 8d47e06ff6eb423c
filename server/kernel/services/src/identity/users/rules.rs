//! What an address, a password and what people say of themselves have to be like.

use serde_json::{Value, json};
use tenon_sdk::{Error, Result};

/// Most bytes of what a person says of themselves. It stands in every token of theirs, which may have twice as many.
const MOST_DATA: usize = 4 * 1024;

/// An address in the form it is stored, or an error that says what is wrong with it.
pub(in crate::identity) fn normal_email(text: &str) -> Result<String> {
    let email = text.trim().to_lowercase();
    let good = email.len() <= 254
        // Of these an address has none outside of quotes, which nobody uses, and a mail program reads more into them.
        && !email.contains(['<', '>', '(', ')', '[', ']', ',', ';', ':', '\\', '"'])
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
        && email.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && !host.contains('@')
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
    if good {
        return Ok(email);
    }
    Err(Error::invalid(
        "email_address_invalid",
        "Unable to validate email address: invalid format",
    )
    .hint("It looks like name@example.com."))
}

/// What a person says of themselves, bounded: it travels in every token.
pub(in crate::identity) fn check_data(data: &Value) -> Result<()> {
    if !(data.is_object() || data.is_null()) || data.to_string().len() > MOST_DATA {
        return Err(Error::invalid(
            "validation_failed",
            "The field data must be a small JSON object.",
        ));
    }
    Ok(())
}

/// What was said, as the column keeps it.
pub(super) fn object(data: &Value) -> Value {
    if data.is_null() { json!({}) } else { data.clone() }
}

#[cfg(test)]
mod tests {
    use super::normal_email;

    #[test]
    fn addresses_are_kept_in_lower_case_and_what_is_none_is_refused() {
        assert_eq!(normal_email(" Ada@Example.COM ").unwrap(), "ada@example.com");
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a b@example.com",
            "ada@example",
            "a@b@example.com",
            "a@.com",
        ] {
            assert_eq!(
                normal_email(bad).unwrap_err().code,
                "email_address_invalid",
                "{bad}"
            );
        }
    }
}
