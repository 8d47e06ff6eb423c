//! Links that a program of the operator's own sends by itself, and invitations that Tenon mails.

use axum::{Json, body::Bytes, extract::Query, response::IntoResponse};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tenon_sdk::{Error, Result, SystemTx, http::ClientAddress};

use super::Admin;
use crate::identity::{
    Identity, Point, audit, errors,
    hooks::Newcomer,
    one_time::{self, Purpose, Way},
    redirects,
    routes::{Service, read},
    users::{self, Contact, NewUser, User, email_change, normal_email},
};

#[derive(Deserialize)]
pub(super) struct Redirect {
    redirect_to: Option<String>,
}

#[derive(Deserialize)]
struct Ask {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    new_email: String,
    data: Option<Map<String, Value>>,
    redirect_to: Option<String>,
}

fn way(identity: &Identity, redirect_to: Option<&str>) -> Way {
    Way {
        redirect_to: redirects::allowed(identity, redirect_to),
        challenge: None,
    }
}

/// Inserts somebody who has still to show that they read their address, or finds whoever has not shown it yet. What was said of them
/// before may be a stranger's word, and a password one that a stranger knows: neither stays, unless somebody has been in the account.
async fn waiting(
    identity: &Identity,
    tx: &SystemTx,
    email: &str,
    hash: Option<&str>,
    data: &Value,
) -> Result<(User, bool)> {
    let contact = Contact::Email(email);
    if let Some(user) = users::insert(identity, tx, contact, hash, data, false).await? {
        return Ok((user, true));
    }
    let user = contact
        .holder(tx, true)
        .await?
        .filter(|user| !user.confirmed())
        .ok_or_else(errors::email_exists)?;
    if !user.came_in() {
        // The operator's own words are added to.
        let kept = !user.unclaimed(contact);
        tx.execute(
            "update auth.users set encrypted_password = $2, updated_at = $5, raw_user_meta_data = \
             case when $4 then raw_user_meta_data || coalesce($3::jsonb, '{}') else coalesce($3::jsonb, '{}') end \
             where id = $1",
            &[
                &user.id,
                &hash,
                &data.as_object().map(|_| data),
                &kept,
                &identity.0.env.now(),
            ],
        )
        .await?;
        one_time::forget(tx, user.id).await?;
    }
    let user = users::find(tx, user.id).await?.ok_or_else(errors::email_exists)?;
    Ok((user, false))
}

/// Asks the hook about somebody unless there is an account with their address.
async fn ask_about_new(identity: &Identity, client: ClientAddress, email: &str, data: &Value) -> Result<()> {
    if !identity.0.hooks.has(Point::BeforeUserCreated) {
        return Ok(());
    }
    let tx = SystemTx::begin(&identity.0.db, "is somebody new").await?;
    let found = users::by_address(&tx, email).await?;
    tx.commit().await?;
    if found.is_some() {
        return Ok(());
    }
    let newcomer = Newcomer {
        email,
        phone: "",
        data,
        provider: "email",
    };
    identity.before_user_created(client, &newcomer).await
}

async fn invited(identity: &Identity, tx: &SystemTx, email: &str, data: &Value) -> Result<(User, bool)> {
    let (user, created) = waiting(identity, tx, email, None, data).await?;
    tx.execute(
        "update auth.users set invited_at = $2, updated_at = $2 where id = $1",
        &[&user.id, &identity.0.env.now()],
    )
    .await?;
    audit::record(
        tx,
        &identity.0.env,
        None,
        "user_invited",
        json!({ "user_id": user.id }),
    )
    .await?;
    let user = users::find(tx, user.id)
        .await?
        .ok_or_else(errors::user_not_found)?;
    Ok((user, created))
}

/// Makes a link of one of six types without sending it.
pub(super) async fn generate(
    _: Admin,
    service: Service,
    client: ClientAddress,
    Query(query): Query<Redirect>,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let ask: Ask = read(&body)?;
    let identity = &service.0;
    let email = normal_email(&ask.email)?;
    let data = ask.data.map_or(Value::Null, Value::Object);
    users::check_data(&data)?;
    let redirect = ask.redirect_to.or(query.redirect_to);
    let way = way(identity, redirect.as_deref());
    let prepared = match ask.r#type.as_str() {
        "signup" => {
            let new = NewUser {
                email: &email,
                password: &ask.password,
                data: &data,
            };
            Some(users::prepare(identity, &new).await?)
        }
        _ => None,
    };
    let kind = ask.r#type.as_str();
    if matches!(kind, "signup" | "invite" | "magiclink") {
        ask_about_new(identity, client, &email, &data).await?;
    }
    let tx = SystemTx::begin(&identity.0.db, "link made for the operator").await?;
    let existing = async || {
        users::by_address(&tx, &email)
            .await?
            .ok_or_else(errors::user_not_found)
    };
    let mut created = false;
    let (user, purpose, address) = match kind {
        "signup" => {
            let hash = prepared.as_ref().map(users::Prepared::hash);
            let user;
            (user, created) = waiting(identity, &tx, &email, hash, &data).await?;
            (user, Purpose::SignUp, email)
        }
        "invite" => {
            let user;
            (user, created) = invited(identity, &tx, &email, &data).await?;
            (user, Purpose::Invite, email)
        }
        "magiclink" => {
            if let Some(user) = users::by_address(&tx, &email).await? {
                (user, Purpose::MagicLink, email)
            } else {
                // Whoever asks for a link for somebody new wants them in.
                let user;
                (user, created) = waiting(identity, &tx, &email, None, &data).await?;
                (user, Purpose::SignUp, email)
            }
        }
        "recovery" => (existing().await?, Purpose::Recovery, email),
        "email_change_current" | "email_change_new" => {
            let new = normal_email(&ask.new_email)?;
            let user = existing().await?;
            if users::by_address(&tx, &new).await?.is_some() {
                return Err(errors::email_exists());
            }
            if email_change::pending(&tx, user.id).await? != new {
                email_change::begin(identity, &tx, &user, &new).await?;
            }
            if kind == "email_change_new" {
                (user, Purpose::EmailChange, new)
            } else {
                (user, Purpose::EmailChangeCurrent, email)
            }
        }
        _ => {
            return Err(
                Error::invalid("validation_failed", "Invalid email action link type requested").hint(
                    "type is signup, invite, magiclink, recovery, email_change_current or email_change_new.",
                ),
            );
        }
    };
    let made = one_time::make(identity, &tx, user.id, purpose, &address, &way).await?;
    let user = users::find(&tx, user.id)
        .await?
        .ok_or_else(errors::user_not_found)?;
    let traits = json!({ "user_id": user.id, "type": ask.r#type });
    audit::record(&tx, &identity.0.env, None, "link_generated", traits).await?;
    tx.commit().await?;
    if created {
        identity.after_user_created(client, user.id);
    }
    let mut shown = user.to_json();
    shown["action_link"] = json!(made.url);
    shown["email_otp"] = json!(made.code);
    shown["hashed_token"] = json!(made.link);
    shown["verification_type"] = json!(if kind == "magiclink" { purpose.name() } else { kind });
    shown["redirect_to"] = json!(way.redirect_to);
    Ok(Json(shown))
}

#[derive(Deserialize)]
struct Invite {
    #[serde(default)]
    email: String,
    data: Option<Map<String, Value>>,
}

/// Makes an account for somebody and mails them the way in.
pub(super) async fn invite(
    _: Admin,
    service: Service,
    client: ClientAddress,
    Query(query): Query<Redirect>,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let ask: Invite = read(&body)?;
    let identity = &service.0;
    let email = normal_email(&ask.email)?;
    let data = ask.data.map_or(Value::Null, Value::Object);
    users::check_data(&data)?;
    let way = way(identity, query.redirect_to.as_deref());
    ask_about_new(identity, client, &email, &data).await?;
    let tx = SystemTx::begin(&identity.0.db, "invitation of a user").await?;
    let (user, created) = invited(identity, &tx, &email, &data).await?;
    one_time::mail(identity, &tx, &user, Purpose::Invite, &email, &way).await?;
    tx.commit().await?;
    if created {
        identity.after_user_created(client, user.id);
    }
    Ok(Json(user.to_json()))
}
