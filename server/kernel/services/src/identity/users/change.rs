//! What people change about their own account.

use serde_json::{Map, Value, json};
use tenon_sdk::{Error, Result, SystemTx};
use uuid::Uuid;

use super::{
    User, by_address, by_phone,
    confirm::keep_own_identities,
    confirm_phone, email_change, keep_providers, normal_phone,
    rules::{check_data, normal_email},
};
use crate::identity::{
    Identity, audit, errors,
    factors::require_level,
    mails::{self, Notice},
    one_time::{self, Purpose, Way},
    passwords, phones, reauthentication, sessions, users,
};

/// What a person says of themselves, with changes: a null takes a name away.
pub(in crate::identity) fn merged(mut data: Value, changes: Map<String, Value>) -> Value {
    if let Some(data) = data.as_object_mut() {
        for (name, value) in changes {
            if value.is_null() {
                data.remove(&name);
            } else {
                data.insert(name, value);
            }
        }
    }
    data
}

/// What somebody changes about themselves; what is absent stays.
#[derive(Debug, Default, serde::Deserialize)]
pub(in crate::identity) struct Changes {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    nonce: Option<String>,
    data: Option<Map<String, Value>>,
}

impl Changes {
    /// Whether a new address is among them, which is written to.
    pub(in crate::identity) const fn address(&self) -> bool {
        self.email.is_some()
    }

    /// The new number among them, as it was written.
    pub(in crate::identity) fn number(&self) -> Option<&str> {
        self.phone.as_deref().filter(|phone| !phone.trim().is_empty())
    }
}

/// Changes a person's own account. A new password ends their other sessions; a new address has to be confirmed where
/// `auth.confirm_email` is set. Either needs the second factor of whoever has one. Gives the person as the wire shows them.
///
/// A visitor's account becomes a person's with its first address, and has to have one before it has a password: nobody
/// could sign in to it otherwise.
pub(in crate::identity) async fn change(
    identity: &Identity,
    user: &User,
    session: Uuid,
    changes: Changes,
    way: &Way,
) -> Result<Value> {
    let email = changes.email.as_deref().map(normal_email).transpose()?;
    let email = email.filter(|email| user.email.as_ref() != Some(email));
    let phone = changes.number().map(normal_phone).transpose()?;
    let phone = phone.filter(|phone| user.phone.as_ref() != Some(phone));
    if phone.is_some() {
        phones::enabled(identity)?;
    }
    let way_in = changes.password.is_some() || email.is_some() || phone.is_some();
    if way_in {
        if let Some(password) = &changes.password {
            passwords::check(identity, password)?;
        }
        let nonce = changes.nonce.as_deref();
        reauthentication::require(identity, user, session, changes.password.is_some(), nonce).await?;
    }
    let hash = match changes.password {
        Some(_) if user.email.is_none() && email.is_none() && user.phone.is_none() && phone.is_none() => {
            return Err(Error::unprocessable(
                "validation_failed",
                "Updating password of an anonymous user without an email or phone is not allowed",
            )
            .hint("Set an e-mail address first, or with it."));
        }
        Some(password) => {
            let hasher = &identity.0.passwords;
            if user.password.is_some() && hasher.verify(password.clone(), user.password.clone()).await? {
                return Err(errors::same_password());
            }
            passwords::check_online(identity, &password).await?;
            Some(hasher.hash(password).await?)
        }
        None => None,
    };
    let (env, now) = (&identity.0.env, identity.0.env.now());
    let tx = SystemTx::begin(&identity.0.db, "change of user").await?;
    let row = tx
        .query_opt(
            "select raw_user_meta_data from auth.users where id = $1 for update",
            &[&user.id],
        )
        .await?
        .ok_or_else(errors::session_not_found)?;
    // Hashing takes its time, in which the session may have ended: as whoever changes a password elsewhere expects.
    sessions::whose(identity, &tx, session).await?;
    if way_in {
        require_level(&tx, user.id, session).await?;
    }
    if changes.data.is_some() {
        audit::record(
            &tx,
            env,
            Some(user.id),
            "user_modified",
            json!({ "fields": ["data"] }),
        )
        .await?;
    }
    let data = merged(row.try_get(0)?, changes.data.unwrap_or_default());
    check_data(&data)?;
    tx.execute(
        "update auth.users set encrypted_password = coalesce($2, encrypted_password), \
             raw_user_meta_data = $3, updated_at = $4 where id = $1",
        &[&user.id, &hash, &data, &now],
    )
    .await?;
    if hash.is_some() {
        // Whoever asked for them may be the reason for the new password.
        one_time::forget(&tx, user.id).await?;
        if user.email.is_some() && user.confirmed() {
            // Who came by a provider has a second way in from now on.
            keep_own_identities(identity, &tx, user.id, &["email"]).await?;
            keep_providers(&tx, user.id, now).await?;
        }
    }
    if let Some(email) = &email {
        if by_address(&tx, email).await?.is_some() {
            return Err(errors::email_exists());
        }
        if identity.0.config.auth.confirm_email {
            identity.0.mails.check(email)?;
            email_change::ask(identity, &tx, user, email, way).await?;
        } else {
            email_change::give(identity, &tx, user.id, email).await?;
        }
    }
    if let Some(phone) = &phone {
        if by_phone(&tx, phone).await?.is_some() {
            return Err(errors::phone_exists());
        }
        if identity.0.config.auth.sms.confirm {
            tx.execute(
                "update auth.users set phone_change = $2, phone_change_sent_at = $3 where id = $1",
                &[&user.id, phone, &now],
            )
            .await?;
            one_time::text(identity, &tx, user, Purpose::PhoneChange, phone).await?;
        } else {
            confirm_phone(identity, &tx, user.id, phone, Purpose::PhoneChange.name()).await?;
        }
    }
    if hash.is_some() {
        tx.execute(
            "delete from auth.sessions where user_id = $1 and id <> $2",
            &[&user.id, &session],
        )
        .await?;
        audit::record(&tx, env, Some(user.id), "user_updated_password", json!({})).await?;
        mails::notify(identity, &tx, user, Notice::PasswordChanged).await?;
    }
    let user = users::find(&tx, user.id)
        .await?
        .ok_or_else(errors::session_not_found)?;
    tx.commit().await?;
    Ok(user.to_json())
}
