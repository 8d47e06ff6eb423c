//! People with a telephone.

use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx};
use uuid::Uuid;

use super::{
    COLUMNS, User,
    create::{somebody, waiting},
    find, keep_providers,
    rules::{check_data, object},
};
use crate::identity::{
    Identity, audit, errors,
    mails::{self, Notice},
    one_time::{self, Purpose},
    passwords,
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
    let row = tx
        .query_opt(
            &format!("select {COLUMNS} from auth.users where phone = $1"),
            &[&phone],
        )
        .await?;
    row.as_ref().map(User::from_row).transpose()
}

/// Inserts a person with a number as a way in; `None` if the number is somebody's already.
pub(in crate::identity) async fn insert_by_phone(
    identity: &Identity,
    tx: &SystemTx,
    phone: &str,
    hash: Option<&str>,
    data: &Value,
    confirmed: bool,
) -> Result<Option<User>> {
    let (id, now) = (identity.0.env.new_id(), identity.0.env.now());
    let inserted = tx
        .execute(
            "insert into auth.users (id, phone, encrypted_password, raw_app_meta_data, raw_user_meta_data, \
             phone_confirmed_at, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7) \
             on conflict (phone) do nothing",
            &[
                &id,
                &phone,
                &hash,
                &json!({ "provider": "phone", "providers": ["phone"] }),
                &object(data),
                &confirmed.then_some(now),
                &now,
            ],
        )
        .await?;
    if inserted == 0 {
        return Ok(None);
    }
    keep_phone_identity(identity, tx, id, phone, confirmed).await?;
    find(tx, id).await
}

/// Makes the person's number a way in, or keeps it up with the number they have now.
async fn keep_phone_identity(
    identity: &Identity,
    tx: &SystemTx,
    user: Uuid,
    phone: &str,
    verified: bool,
) -> Result<()> {
    let data = json!({ "sub": user, "phone": phone, "email_verified": false, "phone_verified": verified });
    tx.execute(
        "insert into auth.identities (id, user_id, provider, provider_id, identity_data, created_at, updated_at) \
         values ($1, $2, 'phone', $3, $4, $5, $5) on conflict (provider, provider_id) do update \
         set identity_data = excluded.identity_data, updated_at = excluded.updated_at",
        &[
            &identity.0.env.new_id(),
            &user,
            &user.to_string(),
            &data,
            &identity.0.env.now(),
        ],
    )
    .await
    .map(drop)
}

/// Checks what somebody new with a number brings; gives the hash of their password.
pub(in crate::identity) async fn prepare_by_phone(
    identity: &Identity,
    password: &str,
    data: &Value,
) -> Result<String> {
    passwords::check(identity, password)?;
    check_data(data)?;
    passwords::check_online(identity, password).await?;
    identity.0.passwords.hash(password.to_owned()).await
}

/// Signs a person up who has to show first that they read what goes to their number. Gives what to show them, which is the same for
/// a number that is somebody's already.
pub(in crate::identity) async fn sign_up_by_phone(
    identity: &Identity,
    phone: &str,
    hash: &str,
    data: &Value,
) -> Result<(Value, Option<Uuid>)> {
    let tx = SystemTx::begin(&identity.0.db, "sign-up").await?;
    let (shown, created) =
        if let Some(user) = insert_by_phone(identity, &tx, phone, Some(hash), data, false).await? {
            one_time::text(identity, &tx, &user, Purpose::SmsSignUp, phone).await?;
            (waiting(&user), Some(user.id))
        } else {
            let user = by_phone(&tx, phone).await?;
            if let Some(user) = user.filter(|user| user.phone_confirmed_at.is_none()) {
                // Two signed up with this number: neither password counts, as with addresses.
                tx.execute(
                "update auth.users set encrypted_password = null, raw_user_meta_data = $2, updated_at = $3 \
                 where id = $1",
                &[&user.id, &object(data), &identity.0.env.now()],
            )
            .await?;
                one_time::text(identity, &tx, &user, Purpose::SmsSignUp, phone).await?;
            } else {
                one_time::pretend(identity, &tx, Purpose::SmsSignUp).await?;
            }
            let stored = tx.query_one("select $1::jsonb", &[&object(data)]).await?;
            (
                waiting(&somebody(identity, phone.to_owned(), true, stored.try_get(0)?)),
                None,
            )
        };
    tx.commit().await?;
    Ok((shown, created))
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
        .map_err(|error| {
            if error.code == "23505" {
                errors::phone_exists()
            } else {
                error
            }
        })?;
    if found == 0 {
        return Err(errors::otp_expired());
    }
    if changes || another_road {
        one_time::forget(tx, user).await?;
    }
    keep_phone_identity(identity, tx, user, phone, true).await?;
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
