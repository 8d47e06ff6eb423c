//! What a program of the operator's own says of a person.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tenon_sdk::{Error, Result, SystemTx};
use uuid::Uuid;

use super::super::{
    Identity, errors, one_time, passwords,
    users::{self, User, check_data, merged, normal_email, normal_phone},
};

/// Absent stays as it is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Attributes {
    pub(super) id: Option<Uuid>,
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    password_hash: Option<String>,
    #[serde(default)]
    email_confirm: bool,
    #[serde(default)]
    phone_confirm: bool,
    user_metadata: Option<Map<String, Value>>,
    app_metadata: Option<Map<String, Value>>,
    ban_duration: Option<String>,
    role: Option<String>,
}

/// Attributes that were checked, the password hashed.
pub(super) struct Checked {
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    hash: Option<String>,
    email_confirm: bool,
    phone_confirm: bool,
    person: Map<String, Value>,
    app: Map<String, Value>,
    ban: Option<Ban>,
}

/// A change of whether somebody may sign in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ban {
    Lift,
    For(SignedDuration),
}

fn wrong(message: &str) -> Error {
    Error::invalid("validation_failed", message)
}

/// `none`, or a length of time as Go writes it: `300ms`, `1h30m`.
fn ban(text: &str) -> Result<Ban> {
    if text == "none" {
        return Ok(Ban::Lift);
    }
    let bad = || wrong("invalid format for ban duration").hint("It is none, or like 24h or 1h30m.");
    let (mut rest, mut seconds) = (text, 0.0_f64);
    if rest.is_empty() || rest.len() > 40 {
        return Err(bad());
    }
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .ok_or_else(bad)?;
        let amount: f64 = rest[..end].parse().map_err(|_| bad())?;
        let unit_end = rest[end..]
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .map_or(rest.len(), |at| end + at);
        seconds += amount
            * match &rest[end..unit_end] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return Err(bad()),
            };
        rest = &rest[unit_end..];
    }
    // A hundred years are for good.
    SignedDuration::try_from_secs_f64(seconds.min(3.2e9))
        .map(Ban::For)
        .map_err(|_| bad())
}

impl Attributes {
    /// Errors: `validation_failed`, `email_address_invalid`, `weak_password`.
    pub(super) async fn check(self, identity: &Identity) -> Result<Checked> {
        if self
            .role
            .as_deref()
            .is_some_and(|role| !matches!(role, "" | "authenticated"))
        {
            return Err(wrong("The role of a person is authenticated.")
                .hint("What people may do is a matter of their role in an organisation."));
        }
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let email = filled(self.email).map(|email| normal_email(&email)).transpose()?;
        let phone = filled(self.phone).map(|phone| normal_phone(&phone)).transpose()?;
        let hash = match (filled(self.password), filled(self.password_hash)) {
            (Some(_), Some(_)) => {
                return Err(wrong("Only a password or a password hash should be provided"));
            }
            (Some(password), None) => {
                passwords::check(identity, &password)?;
                Some(identity.0.passwords.hash(password).await?)
            }
            (None, Some(hash)) => {
                if !passwords::known_form(&hash) {
                    return Err(wrong("The password hash has no known form.")
                        .hint("Known are argon2id, argon2i and bcrypt."));
                }
                Some(hash)
            }
            (None, None) => None,
        };
        Ok(Checked {
            email,
            phone,
            hash,
            email_confirm: self.email_confirm,
            phone_confirm: self.phone_confirm,
            person: self.user_metadata.unwrap_or_default(),
            app: self.app_metadata.unwrap_or_default(),
            ban: self
                .ban_duration
                .as_deref()
                .filter(|text| !text.is_empty())
                .map(ban)
                .transpose()?,
        })
    }
}

impl Checked {
    /// Writes the attributes to the person's row, which must be there, as part of `tx`, and gives them as they are then.
    pub(super) async fn apply(self, identity: &Identity, tx: &SystemTx, id: Uuid) -> Result<User> {
        let now = identity.0.env.now();
        let row = tx
            .query_opt(
                "select raw_app_meta_data, raw_user_meta_data from auth.users \
                 where id = $1 and deleted_at is null for update",
                &[&id],
            )
            .await?
            .ok_or_else(errors::user_not_found)?;
        let (app, person) = (
            merged(row.try_get(0)?, self.app),
            merged(row.try_get(1)?, self.person),
        );
        check_data(&app)?;
        check_data(&person)?;
        let until: Option<Timestamp> = match self.ban {
            Some(Ban::For(length)) => Some(now.saturating_add(length).map_err(Error::internal)?),
            _ => None,
        };
        tx.execute(
            "update auth.users set email = coalesce($2, email), phone = coalesce($3, phone), \
             encrypted_password = coalesce($4, encrypted_password), \
             email_confirmed_at = case when $5 then coalesce(email_confirmed_at, $9) else email_confirmed_at end, \
             phone_confirmed_at = case when $6 then coalesce(phone_confirmed_at, $9) else phone_confirmed_at end, \
             raw_app_meta_data = $7, raw_user_meta_data = $8, updated_at = $9, \
             banned_until = case when $10 then $11 else banned_until end, \
             is_anonymous = is_anonymous and coalesce($2, email) is null and coalesce($3, phone) is null \
             where id = $1",
            &[
                &id,
                &self.email,
                &self.phone,
                &self.hash,
                &self.email_confirm,
                &self.phone_confirm,
                &app,
                &person,
                &now,
                &self.ban.is_some(),
                &until,
            ],
        )
        .await
        .map_err(|error| match (error.code.as_ref(), &error.details) {
            ("23505", Some(details)) if details.contains("phone") => errors::phone_exists(),
            ("23505", _) => errors::email_exists(),
            _ => error,
        })?;
        if self.hash.is_some() {
            one_time::forget(tx, id).await?;
            tx.execute("delete from auth.sessions where user_id = $1", &[&id])
                .await?;
        }
        users::keep_own_identities(identity, tx, id, &["email", "phone"]).await?;
        users::find(tx, id).await?.ok_or_else(errors::user_not_found)
    }

    /// What the person says of themselves.
    pub(super) fn data(&self) -> Value {
        Value::Object(self.person.clone())
    }

    /// How the person signs in first of all.
    pub(super) const fn first_way(&self) -> &'static str {
        if self.email.is_some() || self.phone.is_none() {
            "email"
        } else {
            "phone"
        }
    }

    /// How the person signs in, for `app_metadata`.
    pub(super) fn ways_in(&self) -> Value {
        let all: Vec<&str> = [("email", &self.email), ("phone", &self.phone)]
            .into_iter()
            .filter_map(|(name, value)| value.is_some().then_some(name))
            .collect();
        json!({ "provider": self.first_way(), "providers": all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_is_a_length_of_time_as_go_writes_it_or_none() {
        assert_eq!(ban("none").unwrap(), Ban::Lift);
        assert_eq!(ban("1h30m").unwrap(), Ban::For(SignedDuration::from_mins(90)));
        assert_eq!(ban("300ms").unwrap(), Ban::For(SignedDuration::from_millis(300)));
        assert_eq!(ban("1.5h").unwrap(), Ban::For(SignedDuration::from_mins(90)));
        assert!(ban("9999999999999999999h").is_ok());
        for bad in ["", "h", "5", "5 h", "-5h", "5d", "1h1", "1..5h", "☃"] {
            assert_eq!(ban(bad).unwrap_err().code, "validation_failed", "{bad}");
        }
    }
}
