//! New people: by sign-up, unconfirmed sign-up, invitation, or as visitors.

use jiff::Timestamp;
use serde_json::{Value, json};
use tenon_sdk::{Result, SystemTx};
use uuid::Uuid;

use super::{
    COLUMNS, Contact, Metadata, Pending, User,
    confirm::keep_own_identities,
    rules::{check_data, normal_email, object},
};
use crate::identity::{
    Identity, audit, errors,
    one_time::{self, Purpose, Way},
    passwords, users,
};

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

/// What a new person brings, checked; the password hashed, which takes too long to hold a transaction meanwhile.
pub(in crate::identity) struct Prepared {
    email: String,
    hash: String,
}

impl Prepared {
    /// What they sign up with.
    pub(in crate::identity) fn contact(&self) -> Contact<'_> {
        Contact::Email(&self.email)
    }

    /// The hash of the password.
    pub(in crate::identity) fn hash(&self) -> &str {
        &self.hash
    }
}

/// Checks what a new person brings.
pub(in crate::identity) async fn prepare(identity: &Identity, new: &NewUser<'_>) -> Result<Prepared> {
    let email = normal_email(new.email)?;
    let hash = hash_of_new(identity, new.password, new.data).await?;
    Ok(Prepared { email, hash })
}

/// Checks the password of somebody new and what they say of themselves; gives the hash of the password.
pub(in crate::identity) async fn hash_of_new(
    identity: &Identity,
    password: &str,
    data: &Value,
) -> Result<String> {
    passwords::check(identity, password)?;
    check_data(data)?;
    passwords::check_online(identity, password).await?;
    identity.0.passwords.hash(password.to_owned()).await
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
pub(in crate::identity) async fn create_user_in(
    identity: &Identity,
    tx: &SystemTx,
    ready: &Prepared,
    data: &Value,
) -> Result<User> {
    let (contact, hash) = (ready.contact(), ready.hash());
    if let Some(user) = insert(identity, tx, contact, Some(hash), data, true).await? {
        signed_up(identity, tx, user.id, "email").await?;
        return Ok(user);
    }
    let user = contact.holder(tx, true).await?;
    let user = user
        .filter(|user| user.unclaimed(contact))
        .ok_or_else(errors::user_already_exists)?;
    let row = tx
        .query_one(
            &format!(
                "update auth.users set encrypted_password = $2, raw_user_meta_data = $3, \
                 email_confirmed_at = $4, updated_at = $4 where id = $1 returning {COLUMNS}"
            ),
            &[&user.id, &hash, &object(data), &identity.0.env.now()],
        )
        .await?;
    one_time::forget(tx, user.id).await?;
    keep_own_identities(identity, tx, user.id, &[contact.name()]).await?;
    signed_up(identity, tx, user.id, "email").await?;
    User::from_row(&row)
}

/// Records that somebody has an account from now on, and what they came by.
pub(in crate::identity) async fn signed_up(
    identity: &Identity,
    tx: &SystemTx,
    user: Uuid,
    provider: &str,
) -> Result<()> {
    let traits = json!({ "provider": provider });
    audit::record(tx, &identity.0.env, Some(user), "user_signedup", traits).await
}

/// Inserts a person, checked before, with their address or number as a way in; `None` if it is somebody's already.
pub(in crate::identity) async fn insert(
    identity: &Identity,
    tx: &SystemTx,
    contact: Contact<'_>,
    hash: Option<&str>,
    data: &Value,
    confirmed: bool,
) -> Result<Option<User>> {
    let (id, now, column) = (identity.0.env.new_id(), identity.0.env.now(), contact.name());
    let inserted = tx
        .execute(
            &format!(
                "insert into auth.users (id, {column}, encrypted_password, raw_app_meta_data, raw_user_meta_data, \
                 {column}_confirmed_at, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7) \
                 on conflict ({column}) do nothing"
            ),
            &[
                &id,
                &contact.text(),
                &hash,
                &contact.app_metadata(),
                &object(data),
                &confirmed.then_some(now),
                &now,
            ],
        )
        .await?;
    if inserted == 0 {
        return Ok(None);
    }
    keep_own_identities(identity, tx, id, &[column]).await?;
    users::find(tx, id).await
}

/// Signs a person up who has to show first that they read what goes to their address or number. Gives what to show them, which is
/// the same for one that is somebody's already: that it is taken can be read in no answer, only in no message. Besides, who is new
/// in fact.
pub(in crate::identity) async fn sign_up_unconfirmed(
    identity: &Identity,
    contact: Contact<'_>,
    hash: &str,
    data: &Value,
    way: &Way,
) -> Result<(Value, Option<Uuid>)> {
    if let Contact::Email(email) = contact {
        identity.0.mails.check(email)?;
    }
    let tx = SystemTx::begin(&identity.0.db, "sign-up").await?;
    let purpose = match contact {
        Contact::Email(_) => Purpose::SignUp,
        Contact::Phone(_) => Purpose::SmsSignUp,
    };
    let ask = async |user: &User| match contact {
        Contact::Email(email) => one_time::mail(identity, &tx, user, purpose, email, way).await,
        Contact::Phone(number) => one_time::text(identity, &tx, user, purpose, number).await,
    };
    let (shown, created) = if let Some(user) = insert(identity, &tx, contact, Some(hash), data, false).await?
    {
        ask(&user).await?;
        (waiting(&user), Some(user.id))
    } else {
        let user = contact.holder(&tx, true).await?;
        if let Some(user) = user.filter(|user| user.unclaimed(contact)) {
            // Two signed up with it, and nobody knows whose it is: neither password counts, and whoever reads the message sets
            // another.
            tx.execute(
                "update auth.users set encrypted_password = null, raw_user_meta_data = $2, updated_at = $3 \
                 where id = $1",
                &[&user.id, &object(data), &identity.0.env.now()],
            )
            .await?;
            ask(&user).await?;
        } else {
            one_time::pretend(identity, &tx, purpose).await?;
        }
        let stored = tx.query_one("select $1::jsonb", &[&object(data)]).await?;
        (waiting(&somebody(identity, contact, stored.try_get(0)?)), None)
    };
    tx.commit().await?;
    Ok((shown, created))
}

/// How a person is shown whose address waits to be confirmed.
fn waiting(user: &User) -> Value {
    let mut shown = user.to_json();
    shown["confirmation_sent_at"] = json!(user.created_at);
    shown
}

/// What a person would look like who is new, made of nothing but what was said.
fn somebody(identity: &Identity, contact: Contact<'_>, data: Value) -> User {
    let (id, now) = (identity.0.env.new_id(), identity.0.env.now());
    // The database keeps microseconds.
    let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
    let provider = contact.name();
    let identity_data =
        json!({ "sub": id, provider: contact.text(), "email_verified": false, "phone_verified": false });
    let in_database = format!("{}+00:00", now.to_string().trim_end_matches('Z'));
    let (email, phone) = match contact {
        Contact::Email(email) => (Some(email.to_owned()), None),
        Contact::Phone(phone) => (None, Some(phone.to_owned())),
    };
    User {
        id,
        // In the order the database gives names in: by length.
        identities: json!([{
            "id": id, "email": email, "user_id": id, "provider": provider,
            "created_at": in_database, "updated_at": in_database,
            "identity_id": identity.0.env.new_id(), "identity_data": identity_data, "last_sign_in_at": null,
        }]),
        email,
        about: Metadata {
            app: contact.app_metadata(),
            person: data,
        },
        created_at: now,
        updated_at: now,
        last_sign_in_at: None,
        password: None,
        email_confirmed_at: None,
        phone,
        phone_confirmed_at: None,
        banned_until: None,
        invited_at: None,
        factors: None,
        deleted_at: None,
        pending: Pending::default(),
        anonymous: false,
    }
}

/// Creates an account for a visitor who says nothing of themselves but `data`.
pub(in crate::identity) async fn create_anonymous(
    identity: &Identity,
    tx: &SystemTx,
    data: &Value,
) -> Result<Uuid> {
    check_data(data)?;
    let id = identity.0.env.new_id();
    tx.execute(
        "insert into auth.users (id, raw_user_meta_data, is_anonymous, created_at, updated_at) \
         values ($1, $2, true, $3, $3)",
        &[&id, &object(data), &identity.0.env.now()],
    )
    .await?;
    signed_up(identity, tx, id, "anonymous").await?;
    Ok(id)
}
