//! People with a telephone.

use serde_json::json;
use tenon_sdk::{Error, Result, SystemTx};
use uuid::Uuid;

use super::{Contact, User, confirm::keep_own_identities, find, keep_providers};
use crate::identity::{
    Identity, audit, errors,
    mails::{self, Notice},
    one_time,
};

/// A number in the form it is stored: E.164 without the plus sign. What people put between digits is left out.
pub(in crate::identity) fn normal_phone(text: &str) -> Result<String> {
    let text = text.trim();
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}'))
        .collect();
    let digits = digits
        .strip_prefix('+')
        .or_else(|| digits.strip_prefix("00"))
        .unwrap_or(&digits);
    if (7..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
    {
        return Ok(digits.to_owned());
    }
    Err(Error::invalid(
        "validation_failed",
        "Invalid phone number format (E.164 required)",
    )
    .hint("It has the country first, such as +49 30 1234567."))
}

/// The person with a number in its stored form.
pub(in crate::identity) async fn by_phone(tx: &SystemTx, phone: &str) -> Result<Option<User>> {
    Contact::Phone(phone).holder(tx, false).await
}

/// Records that a person reads what goes to a number, which becomes theirs if it was not. Gives them as they are now.
///
/// As with addresses, a password that was set before anybody had shown that goes, unless the proof answers the sign-up that set it.
pub(in crate::identity) async fn confirm_phone(
    identity: &Identity,
    tx: &SystemTx,
    user: Uuid,
    phone: &str,
    proof: &str,
) -> Result<User> {
    let now = identity.0.env.now();
    let (another_road, changes) = (proof == "sms", proof == "phone_change");
    let before = find(tx, user).await?.ok_or_else(errors::otp_expired)?;
    let found = tx
        .execute(
            "update auth.users set phone = $2, is_anonymous = false, updated_at = $3, phone_change = '', \
             phone_confirmed_at = case when phone = $2 then coalesce(phone_confirmed_at, $3) else $3 end, \
             encrypted_password = case when phone_confirmed_at is not null or email_confirmed_at is not null \
                 or is_anonymous or not $4 then encrypted_password end \
             where id = $1 and (phone = $2 or $5)",
            &[&user, &phone, &now, &another_road, &changes],
        )
        .await
        .map_err(|error| error.if_taken(errors::phone_exists))?;
    if found == 0 {
        return Err(errors::otp_expired());
    }
    if changes || another_road {
        one_time::forget(tx, user).await?;
    }
    keep_own_identities(identity, tx, user, &["phone"]).await?;
    keep_providers(tx, user, now).await?;
    if changes || !before.phone_confirmed() {
        let action = if changes { "user_modified" } else { "user_signedup" };
        let traits = json!({ "fields": ["phone"], "proof": proof });
        audit::record(tx, &identity.0.env, Some(user), action, traits).await?;
    }
    if changes && before.phone.as_deref() != Some(phone) {
        let old = before.phone.as_deref().unwrap_or_default();
        mails::notify(identity, tx, &before, Notice::PhoneChanged { old, new: phone }).await?;
    }
    find(tx, user).await?.ok_or_else(errors::otp_expired)
}

#[cfg(test)]
mod tests {
    use super::normal_phone;

    #[test]
    fn a_number_is_kept_as_its_digits_with_the_country_first() {
        for (written, kept) in [
            ("+49 30 1234567", "49301234567"),
            ("0049301234567", "49301234567"),
            (" 4152127777 ", "4152127777"),
            ("+1 (415) 212-7777", "14152127777"),
            ("+43.1/234567", "431234567"),
        ] {
            assert_eq!(normal_phone(written).unwrap(), kept);
        }
        for bad in [
            "",
            "+",
            "030 1234567",
            "12345",
            "+49301234567890123",
            "+49 30 12ab567",
            "++49301234567",
            "１２３４５６７８",
        ] {
            assert_eq!(normal_phone(bad).unwrap_err().code, "validation_failed", "{bad}");
        }
    }
}
