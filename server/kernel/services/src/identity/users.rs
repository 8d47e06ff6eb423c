//! People.

use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Identity, passwords};

/// What is known of a person beyond their address, in the two halves that clients of GoTrue expect.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    /// What the server says: how they sign in.
    pub(super) app: Value,
    /// What they say of themselves.
    pub(super) person: Value,
}

/// A person, as the wire shows them.
#[derive(Clone, Debug)]
pub struct User {
    /// Their id.
    pub id: Uuid,
    /// Their e-mail address, in lower case.
    pub email: String,
    pub(super) about: Metadata,
    created_at: jiff::Timestamp,
    updated_at: jiff::Timestamp,
    last_sign_in_at: Option<jiff::Timestamp>,
    pub(super) password: Option<String>,
}

pub(super) const COLUMNS: &str = "id, email, raw_app_meta_data, raw_user_meta_data, created_at, updated_at, \
                                  last_sign_in_at, encrypted_password";

impl User {
    pub(super) fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            email: row.try_get(1)?,
            about: Metadata {
                app: row.try_get(2)?,
                person: row.try_get(3)?,
            },
            created_at: row.try_get(4)?,
            updated_at: row.try_get(5)?,
            last_sign_in_at: row.try_get(6)?,
            password: row.try_get(7)?,
        })
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "aud": "authenticated",
            "role": "authenticated",
            "email": self.email,
            "email_confirmed_at": self.created_at,
            "confirmed_at": self.created_at,
            "phone": "",
            "last_sign_in_at": self.last_sign_in_at,
            "app_metadata": self.about.app,
            "user_metadata": self.about.person,
            "identities": [{
                "identity_id": self.id, "id": self.id, "user_id": self.id, "provider": "email",
                "identity_data": { "email": self.email, "sub": self.id },
                "created_at": self.created_at, "updated_at": self.updated_at,
                "last_sign_in_at": self.last_sign_in_at,
            }],
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "is_anonymous": false,
        })
    }
}

/// What a new person brings.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// Their e-mail address.
    pub email: &'a str,
    /// Their password.
    pub password: &'a str,
    /// What they say of themselves, such as `name`.
    pub data: &'a Value,
}

/// An address in the form it is stored, or an error that says what is wrong with it.
pub(super) fn normal_email(text: &str) -> Result<String> {
    let email = text.trim().to_lowercase();
    let good = email.len() <= 254
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
    Err(
        Error::invalid("email_address_invalid", "This is no e-mail address.")
            .hint("It looks like name@example.com."),
    )
}

/// Checks a new password against the rules.
pub(super) fn check_password(identity: &Identity, password: &str) -> Result<()> {
    let least = identity.0.config.auth.password_min_length;
    if password.chars().count() < least {
        return Err(Error::unprocessable(
            "weak_password",
            format!("The password needs at least {least} characters."),
        ));
    }
    if password.len() > passwords::MAX_BYTES {
        return Err(Error::unprocessable("weak_password", "The password is too long."));
    }
    Ok(())
}

/// Creates a person; their address counts as confirmed.
pub async fn create_user(identity: &Identity, new: NewUser<'_>) -> Result<User> {
    let email = normal_email(new.email)?;
    check_password(identity, new.password)?;
    if !(new.data.is_object() || new.data.is_null()) || new.data.to_string().len() > 16 * 1024 {
        return Err(Error::invalid(
            "validation_failed",
            "The field data must be a small JSON object.",
        ));
    }
    let data = if new.data.is_null() {
        json!({})
    } else {
        new.data.clone()
    };
    let hash = identity.0.passwords.hash(new.password.to_owned()).await?;
    let tx = SystemTx::begin(&identity.0.db, "sign-up").await?;
    let row = tx
        .query_opt(
            &format!(
                "insert into auth.users (id, email, encrypted_password, raw_app_meta_data, raw_user_meta_data, \
                 email_confirmed_at, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6, $6) \
                 on conflict (email) do nothing returning {COLUMNS}"
            ),
            &[
                &identity.0.env.new_id(),
                &email,
                &hash,
                &json!({ "provider": "email", "providers": ["email"] }),
                &data,
                &identity.0.env.now(),
            ],
        )
        .await?;
    let Some(row) = row else {
        return Err(
            Error::unprocessable("user_already_exists", "User already registered")
                .hint("Sign in, or use another address."),
        );
    };
    let user = User::from_row(&row)?;
    tx.commit().await?;
    Ok(user)
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
