//! People.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tenon_sdk::{Error, Result, SystemTx};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Identity, errors, mails,
    one_time::{self, Purpose, Way},
    passwords, sessions,
};

/// Most bytes of what a person says of themselves. It stands in every token of theirs, which may have twice as many.
const MOST_DATA: usize = 4 * 1024;

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
    /// Their e-mail address, in lower case; a visitor's account has none.
    pub email: Option<String>,
    pub(super) about: Metadata,
    created_at: Timestamp,
    updated_at: Timestamp,
    last_sign_in_at: Option<Timestamp>,
    pub(super) password: Option<String>,
    email_confirmed_at: Option<Timestamp>,
    /// Whether the account was made for a visitor who has not said who they are.
    pub(super) anonymous: bool,
    identities: Value,
}

/// What [`User::from_row`] reads of `auth.users`.
pub(super) const COLUMNS: &str = "id, email, raw_app_meta_data, raw_user_meta_data, created_at, updated_at, \
     last_sign_in_at, encrypted_password, email_confirmed_at, is_anonymous, \
     (select coalesce(jsonb_agg(jsonb_build_object('identity_id', i.id, 'id', i.provider_id, 'user_id', i.user_id, \
        'identity_data', i.identity_data, 'provider', i.provider, 'email', i.identity_data ->> 'email', \
        'last_sign_in_at', i.last_sign_in_at, 'created_at', i.created_at, 'updated_at', i.updated_at) \
        order by i.created_at, i.id), '[]') from auth.identities i where i.user_id = users.id)";

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
            email_confirmed_at: row.try_get(8)?,
            anonymous: row.try_get(9)?,
            identities: row.try_get(10)?,
        })
    }

    /// Whether their address is known to be theirs.
    pub(super) fn confirmed(&self) -> bool {
        self.email_confirmed_at.is_some()
    }

    /// The language to write to them in.
    pub(super) fn language(&self) -> &'static str {
        mails::language(self.about.person["locale"].as_str())
    }

    pub(super) fn to_json(&self) -> Value {
        let mut shown = json!({
            "id": self.id,
            "aud": "authenticated",
            "role": "authenticated",
            "email": self.email.as_deref().unwrap_or_default(),
            "phone": "",
            "last_sign_in_at": self.last_sign_in_at,
            "app_metadata": self.about.app,
            "user_metadata": self.about.person,
            "identities": self.identities,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "is_anonymous": self.anonymous,
        });
        // Clients ask whether these are there.
        if let Some(at) = self.email_confirmed_at {
            shown["email_confirmed_at"] = json!(at);
            shown["confirmed_at"] = json!(at);
        }
        shown
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

/// What a person says of themselves, bounded: it travels in every token.
pub(super) fn check_data(data: &Value) -> Result<()> {
    if !(data.is_object() || data.is_null()) || data.to_string().len() > MOST_DATA {
        return Err(Error::invalid(
            "validation_failed",
            "The field data must be a small JSON object.",
        ));
    }
    Ok(())
}

fn object(data: &Value) -> Value {
    if data.is_null() { json!({}) } else { data.clone() }
}

/// Creates a person; their address counts as confirmed.
pub async fn create_user(identity: &Identity, new: NewUser<'_>) -> Result<User> {
    let ready = prepare(identity, &new).await?;
    let tx = SystemTx::begin(&identity.0.db, "new user").await?;
    let user = create_user_in(identity, &tx, &ready, new.data).await?;
    tx.commit().await?;
    Ok(user)
}

/// As [`create_user`], as part of `tx`. Somebody who once asked for a code to this address, and never showed it, is no
/// hindrance.
pub(super) async fn create_user_in(
    identity: &Identity,
    tx: &SystemTx,
    Prepared { email, hash }: &Prepared,
    data: &Value,
) -> Result<User> {
    if let Some(user) = insert(identity, tx, email, Some(hash), data, true).await? {
        return Ok(user);
    }
    let row = tx
        .query_opt(
            &format!(
                "update auth.users set encrypted_password = $2, raw_user_meta_data = $3, \
                 email_confirmed_at = $4, updated_at = $4 \
                 where email = $1 and email_confirmed_at is null returning {COLUMNS}"
            ),
            &[email, hash, &object(data), &identity.0.env.now()],
        )
        .await?
        .ok_or_else(errors::user_already_exists)?;
    let user = User::from_row(&row)?;
    one_time::forget(tx, user.id).await?;
    keep_email_identity(identity, tx, user.id, email, true).await?;
    Ok(user)
}

/// What a new person brings, checked; the password hashed, which takes too long to hold a transaction meanwhile.
pub(super) struct Prepared {
    email: String,
    hash: String,
}

/// Checks what a new person brings.
pub(super) async fn prepare(identity: &Identity, new: &NewUser<'_>) -> Result<Prepared> {
    let email = normal_email(new.email)?;
    check_password(identity, new.password)?;
    check_data(new.data)?;
    let hash = identity.0.passwords.hash(new.password.to_owned()).await?;
    Ok(Prepared { email, hash })
}

/// Inserts a person, checked before, with their address as a way in; `None` if the address is somebody's already.
pub(super) async fn insert(
    identity: &Identity,
    tx: &SystemTx,
    email: &str,
    hash: Option<&str>,
    data: &Value,
    confirmed: bool,
) -> Result<Option<User>> {
    let (id, now) = (identity.0.env.new_id(), identity.0.env.now());
    let inserted = tx
        .execute(
            "insert into auth.users (id, email, encrypted_password, raw_app_meta_data, raw_user_meta_data, \
             email_confirmed_at, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7) \
             on conflict (email) do nothing",
            &[
                &id,
                &email,
                &hash,
                &by_email(),
                &object(data),
                &confirmed.then_some(now),
                &now,
            ],
        )
        .await?;
    if inserted == 0 {
        return Ok(None);
    }
    keep_email_identity(identity, tx, id, email, confirmed).await?;
    sessions::find(tx, id).await
}

/// Signs a person up who has to show first that they read their address. Gives what to show them, which is the same for an
/// address that is somebody's already: that it is taken can be read in no answer, only in no mail.
pub(super) async fn sign_up_unconfirmed(identity: &Identity, new: NewUser<'_>, way: &Way) -> Result<Value> {
    let Prepared { email, hash } = prepare(identity, &new).await?;
    identity.0.mails.check(&email, identity.0.env.now())?;
    let tx = SystemTx::begin(&identity.0.db, "sign-up").await?;
    let shown = if let Some(user) = insert(identity, &tx, &email, Some(&hash), new.data, false).await? {
        one_time::mail(identity, &tx, &user, Purpose::SignUp, &email, way).await?;
        waiting(&user)
    } else {
        let user = by_address(&tx, &email).await?;
        if let Some(user) = user.filter(|user| user.email_confirmed_at.is_none()) {
            // Two signed up with this address, and nobody knows whose it is: neither password counts, and whoever reads the
            // mail sets another.
            tx.execute(
                "update auth.users set encrypted_password = null, raw_user_meta_data = $2, updated_at = $3 \
                 where id = $1",
                &[&user.id, &object(new.data), &identity.0.env.now()],
            )
            .await?;
            one_time::mail(identity, &tx, &user, Purpose::SignUp, &email, way).await?;
        }
        let stored = tx.query_one("select $1::jsonb", &[&object(new.data)]).await?;
        waiting(&somebody(identity, email, stored.try_get(0)?))
    };
    tx.commit().await?;
    Ok(shown)
}

/// How a person is shown whose address waits to be confirmed.
fn waiting(user: &User) -> Value {
    let mut shown = user.to_json();
    shown["confirmation_sent_at"] = json!(user.created_at);
    shown
}

/// What a person would look like who is new, made of nothing but what was said.
fn somebody(identity: &Identity, email: String, data: Value) -> User {
    let (id, now) = (identity.0.env.new_id(), identity.0.env.now());
    // The database keeps microseconds.
    let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
    let identity_data =
        json!({ "sub": id, "email": email, "email_verified": false, "phone_verified": false });
    let in_database = format!("{}+00:00", now.to_string().trim_end_matches('Z'));
    User {
        id,
        // In the order the database gives names in: by length.
        identities: json!([{
            "id": id, "email": email, "user_id": id, "provider": "email",
            "created_at": in_database, "updated_at": in_database,
            "identity_id": identity.0.env.new_id(), "identity_data": identity_data, "last_sign_in_at": null,
        }]),
        email: Some(email),
        about: Metadata {
            app: by_email(),
            person: data,
        },
        created_at: now,
        updated_at: now,
        last_sign_in_at: None,
        password: None,
        email_confirmed_at: None,
        anonymous: false,
    }
}

/// The person with an address in its stored form.
pub(super) async fn by_address(tx: &SystemTx, email: &str) -> Result<Option<User>> {
    let row = tx
        .query_opt(
            &format!("select {COLUMNS} from auth.users where email = $1"),
            &[&email],
        )
        .await?;
    row.as_ref().map(User::from_row).transpose()
}

/// Records that a person reads an address, which becomes theirs if it was not. Gives them as they are now.
///
/// A password that was set before anybody had shown that they read the address goes, unless the proof answers the sign-up that
/// set it: else a stranger could sign up with somebody's address and wait for them to come in by another road.
pub(super) async fn confirm(
    identity: &Identity,
    tx: &SystemTx,
    user: Uuid,
    email: &str,
    proof: &str,
) -> Result<User> {
    let now = identity.0.env.now();
    let another_road = matches!(proof, "magiclink" | "recovery");
    let changes = proof == "email_change";
    // What proves an address that is not the person's any more proves nothing.
    let found = tx
        .execute(
            "update auth.users set email = $2, is_anonymous = false, updated_at = $3, \
         email_confirmed_at = case when email = $2 then coalesce(email_confirmed_at, $3) else $3 end, \
         encrypted_password = case when email_confirmed_at is not null or is_anonymous or not $5 \
             then encrypted_password end, \
         raw_app_meta_data = raw_app_meta_data || $4 where id = $1 and (email = $2 or $6)",
            &[&user, &email, &now, &by_email(), &another_road, &changes],
        )
        .await
        .map_err(|error| {
            if error.code == "23505" {
                errors::email_exists()
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
    keep_email_identity(identity, tx, user, email, true).await?;
    sessions::find(tx, user).await?.ok_or_else(errors::otp_expired)
}

/// Creates an account for a visitor who says nothing of themselves but `data`.
pub(super) async fn create_anonymous(identity: &Identity, tx: &SystemTx, data: &Value) -> Result<Uuid> {
    check_data(data)?;
    let id = identity.0.env.new_id();
    tx.execute(
        "insert into auth.users (id, raw_user_meta_data, is_anonymous, created_at, updated_at) \
         values ($1, $2, true, $3, $3)",
        &[&id, &object(data), &identity.0.env.now()],
    )
    .await?;
    Ok(id)
}

fn by_email() -> Value {
    json!({ "provider": "email", "providers": ["email"] })
}

/// Makes the person's own address a way in, or keeps it up with the address they have now.
async fn keep_email_identity(
    identity: &Identity,
    tx: &SystemTx,
    user: Uuid,
    email: &str,
    verified: bool,
) -> Result<()> {
    let now = identity.0.env.now();
    let data = json!({ "sub": user, "email": email, "email_verified": verified, "phone_verified": false });
    tx.execute(
        "insert into auth.identities (id, user_id, provider, provider_id, identity_data, created_at, updated_at) \
         values ($1, $2, 'email', $3, $4, $5, $5) \
         on conflict (provider, provider_id) do update \
         set identity_data = excluded.identity_data, updated_at = excluded.updated_at",
        &[&identity.0.env.new_id(), &user, &user.to_string(), &data, &now],
    )
    .await
    .map(drop)
}

/// What a person says of themselves, with changes: a null takes a name away.
fn merged(mut data: Value, changes: Map<String, Value>) -> Value {
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
pub(super) struct Changes {
    email: Option<String>,
    password: Option<String>,
    data: Option<Map<String, Value>>,
}

/// Changes a person's own account. A new password ends their other sessions; a new address has to be confirmed where
/// `auth.confirm_email` is set. Gives the person as the wire shows them.
///
/// A visitor's account becomes a person's with its first address, and has to have one before it has a password: nobody
/// could sign in to it otherwise.
pub(super) async fn change(
    identity: &Identity,
    user: &User,
    session: Uuid,
    changes: Changes,
    way: &Way,
) -> Result<Value> {
    let email = changes.email.as_deref().map(normal_email).transpose()?;
    let email = email.filter(|email| user.email.as_ref() != Some(email));
    let hash = match changes.password {
        Some(_) if user.email.is_none() && email.is_none() => {
            return Err(Error::unprocessable(
                "validation_failed",
                "Updating password of an anonymous user without an email or phone is not allowed",
            )
            .hint("Set an e-mail address first, or with it."));
        }
        Some(password) => {
            check_password(identity, &password)?;
            let passwords = &identity.0.passwords;
            if user.password.is_some() && passwords.verify(password.clone(), user.password.clone()).await? {
                return Err(errors::same_password());
            }
            Some(passwords.hash(password).await?)
        }
        None => None,
    };
    let now = identity.0.env.now();
    let tx = SystemTx::begin(&identity.0.db, "change of user").await?;
    let row = tx
        .query_opt(
            "select raw_user_meta_data from auth.users where id = $1 for update",
            &[&user.id],
        )
        .await?
        .ok_or_else(errors::session_not_found)?;
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
    }
    let mut waiting = None;
    if let Some(email) = &email {
        if by_address(&tx, email).await?.is_some() {
            return Err(errors::email_exists());
        }
        if identity.0.config.auth.confirm_email {
            identity.0.mails.check(email, now)?;
            one_time::mail(identity, &tx, user, Purpose::EmailChange, email, way).await?;
            waiting = Some(email);
        } else {
            confirm(identity, &tx, user.id, email, Purpose::EmailChange.name()).await?;
        }
    }
    if hash.is_some() {
        tx.execute(
            "delete from auth.sessions where user_id = $1 and id <> $2",
            &[&user.id, &session],
        )
        .await?;
    }
    let user = sessions::find(&tx, user.id)
        .await?
        .ok_or_else(errors::session_not_found)?;
    tx.commit().await?;
    let mut shown = user.to_json();
    if let Some(email) = waiting {
        shown["new_email"] = json!(email);
        shown["email_change_sent_at"] = json!(now);
    }
    Ok(shown)
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
