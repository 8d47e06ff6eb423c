//! Links that a program of the operator's own sends by itself, and invitations that Tenon mails.

use axum::{Json, body::Bytes, extract::Query, http::HeaderMap, response::Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tenon_sdk::{Error, Result, SystemTx};

use super::Admin;
use crate::identity::{
    Identity, audit, errors,
    one_time::{self, Purpose, Way},
    redirects,
    routes::{Service, read},
    users::{self, NewUser, User, normal_email},
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

/// Inserts somebody who has still to show that they read their address, or finds whoever was inserted so before.
async fn waiting(
    identity: &Identity,
    tx: &SystemTx,
    email: &str,
    hash: Option<&str>,
    data: &Value,
) -> Result<User> {
    if let Some(user) = users::insert(identity, tx, email, hash, data, false).await? {
        return Ok(user);
    }
    let user = users::by_address(tx, email)
        .await?
        .ok_or_else(errors::email_exists)?;
    if user.confirmed() {
        return Err(errors::email_exists());
    }
    Ok(user)
}

async fn invited(identity: &Identity, tx: &SystemTx, email: &str, data: &Value) -> Result<User> {
    let user = waiting(identity, tx, email, None, data).await?;
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
    users::find(tx, user.id).await?.ok_or_else(errors::user_not_found)
}

/// Makes a link of one of seven types without sending it.
pub(super) async fn generate(
    admin: Result<Admin>,
    service: Service,
    Query(query): Query<Redirect>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let result = async {
        admin?;
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
        let tx = SystemTx::begin(&identity.0.db, "link made for the operator").await?;
        let existing = async || {
            users::by_address(&tx, &email)
                .await?
                .ok_or_else(errors::user_not_found)
        };
        let (user, purpose, address) = match ask.r#type.as_str() {
            "signup" => {
                let hash = prepared.as_ref().map(users::Prepared::hash);
                (
                    waiting(identity, &tx, &email, hash, &data).await?,
                    Purpose::SignUp,
                    email.clone(),
                )
            }
            "invite" => (
                invited(identity, &tx, &email, &data).await?,
                Purpose::Invite,
                email.clone(),
            ),
            "magiclink" => match users::by_address(&tx, &email).await? {
                Some(user) => (user, Purpose::MagicLink, email.clone()),
                // Whoever asks for a link for somebody new wants them in.
                None => (
                    waiting(identity, &tx, &email, None, &data).await?,
                    Purpose::SignUp,
                    email.clone(),
                ),
            },
            "recovery" => (existing().await?, Purpose::Recovery, email.clone()),
            "email_change_current" | "email_change_new" => {
                let new = normal_email(&ask.new_email)?;
                let user = existing().await?;
                if users::by_address(&tx, &new).await?.is_some() {
                    return Err(errors::email_exists());
                }
                (user, Purpose::EmailChange, new)
            }
            _ => {
                return Err(Error::invalid("validation_failed", "Invalid email action link type requested")
                    .hint("type is signup, invite, magiclink, recovery, email_change_current or email_change_new."));
            }
        };
        let made = one_time::make(identity, &tx, user.id, purpose, &address, &way).await?;
        let user = users::find(&tx, user.id)
            .await?
            .ok_or_else(errors::user_not_found)?;
        let traits = json!({ "user_id": user.id, "type": ask.r#type });
        audit::record(&tx, &identity.0.env, None, "link_generated", traits).await?;
        tx.commit().await?;
        let mut shown = user.to_json();
        shown["action_link"] = json!(made.url);
        shown["email_otp"] = json!(made.code);
        shown["hashed_token"] = json!(made.link);
        shown["verification_type"] = json!(purpose.name());
        shown["redirect_to"] = json!(way.redirect_to);
        Ok(Json(shown))
    };
    errors::respond(&headers, result.await)
}

#[derive(Deserialize)]
struct Invite {
    #[serde(default)]
    email: String,
    data: Option<Map<String, Value>>,
}

/// Makes an account for somebody and mails them the way in.
pub(super) async fn invite(
    admin: Result<Admin>,
    service: Service,
    Query(query): Query<Redirect>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let result = async {
        admin?;
        let ask: Invite = read(&body)?;
        let identity = &service.0;
        let email = normal_email(&ask.email)?;
        let data = ask.data.map_or(Value::Null, Value::Object);
        users::check_data(&data)?;
        let way = way(identity, query.redirect_to.as_deref());
        let tx = SystemTx::begin(&identity.0.db, "invitation of a user").await?;
        let user = invited(identity, &tx, &email, &data).await?;
        one_time::mail(identity, &tx, &user, Purpose::Invite, &email, &way).await?;
        tx.commit().await?;
        Ok(Json(user.to_json()))
    };
    errors::respond(&headers, result.await)
}
