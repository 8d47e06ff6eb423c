//! Showing once more that one is who one is, before what guards the account changes: a second factor by whoever has one, and, where
//! `auth.reauthenticate_for_password` is set, a code from a mail by whoever has been signed in for long.

use axum::{Json, Router, response::IntoResponse, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};
use tenon_sdk::{
    Error, Kernel, Result, SystemTx,
    http::{Caller, ClientAddress},
};
use uuid::Uuid;

use super::{
    Identity, audit, errors,
    factors::{Failures, require_level},
    limits::Limit,
    mails, one_time, phones,
    routes::{self, Service},
    users::User,
};

/// A session that is younger was opened by somebody who has just shown who they are.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn routes() -> Router<Kernel> {
    Router::new().route("/auth/v1/reauthenticate", get(reauthenticate))
}

/// What is kept of a code.
fn hash(user: Uuid, nonce: &str) -> String {
    let digest = Sha256::new()
        .chain_update(user.as_bytes())
        .chain_update(nonce.as_bytes())
        .finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

/// Where a code goes.
enum To<'a> {
    Mail(&'a str),
    Telephone(&'a str),
}

/// Sends the caller a code: by mail, or to their number where they have no address.
///
/// Errors: `validation_failed` for who has neither, `email_not_confirmed`, `phone_not_confirmed`, those of the limits.
async fn reauthenticate(
    service: Service,
    caller: Caller,
    client: ClientAddress,
) -> Result<impl IntoResponse> {
    let (_, user) = routes::current(&service, &caller).await?;
    let (env, now) = (&service.0.0.env, service.0.0.env.now());
    let mut nonce = one_time::code(&service);
    let to = match (user.email.as_deref(), user.phone.as_deref()) {
        (Some(_), _) if !user.confirmed() => return Err(errors::email_not_confirmed()),
        (Some(email), _) => {
            service.limit(Limit::Email, client)?;
            service.0.0.mails.check(email)?;
            To::Mail(email)
        }
        (None, Some(_)) if !user.phone_confirmed() => return Err(errors::phone_not_confirmed()),
        (None, Some(number)) => {
            phones::asked_for(&service, number, client)?;
            if let Some(fixed) = service.0.0.config.auth.sms.test_otp.get(number) {
                nonce.clone_from(fixed);
            }
            To::Telephone(number)
        }
        (None, None) => {
            return Err(Error::unprocessable(
                "validation_failed",
                "Reauthentication requires the user to have an email or a phone number",
            ));
        }
    };
    let tx = SystemTx::begin(&service.0.0.db, "reauthentication").await?;
    tx.execute(
        "update auth.users set reauthentication_token = $2, reauthentication_sent_at = $3 where id = $1",
        &[&user.id, &hash(user.id, &nonce), &now],
    )
    .await?;
    match to {
        To::Mail(email) => mails::send_nonce(&service, &tx, &user, email, &nonce).await?,
        To::Telephone(number) => {
            let code = one_time::Code {
                digits: &nonce,
                template: &service.0.0.config.auth.sms.template,
                whatsapp: false,
            };
            one_time::send_code(&service, &tx, &user, number, &code).await?;
        }
    }
    audit::record(
        &tx,
        env,
        Some(user.id),
        "user_reauthenticate_requested",
        json!({}),
    )
    .await?;
    tx.commit().await?;
    Ok(Json(json!({})))
}

/// An error unless the caller may change how one signs in to their account: the address, or (`password`) the password.
///
/// Errors: `insufficient_aal`, `reauthentication_needed`, `reauthentication_not_valid`.
pub(super) async fn require(
    identity: &Identity,
    user: &User,
    session: Uuid,
    password: bool,
    nonce: Option<&str>,
) -> Result<()> {
    let now = identity.0.env.now();
    let tx = SystemTx::begin(&identity.0.db, "reauthentication").await?;
    require_level(&tx, user.id, session).await?;
    if !(password && identity.0.config.auth.reauthenticate_for_password) {
        return tx.commit().await;
    }
    let opened: Timestamp = tx
        .query_opt("select created_at from auth.sessions where id = $1", &[&session])
        .await?
        .ok_or_else(errors::session_not_found)?
        .try_get(0)?;
    if now.duration_since(opened) < RECENT {
        return tx.commit().await;
    }
    let Some(nonce) = nonce.map(str::trim).filter(|nonce| !nonce.is_empty()) else {
        return Err(Error::invalid(
            "reauthentication_needed",
            "Password update requires reauthentication",
        )
        .hint("GET /auth/v1/reauthenticate sends a code; give it as nonce."));
    };
    let failures = Failures::lock(identity, &tx, user.id).await?;
    let oldest = now - SignedDuration::from_secs(identity.0.config.auth.link_seconds);
    let found = tx
        .execute(
            "update auth.users set reauthentication_token = '', reauthentication_sent_at = null \
             where id = $1 and reauthentication_token = $2 and reauthentication_sent_at > $3",
            &[&user.id, &hash(user.id, nonce), &oldest],
        )
        .await?;
    if found == 0 {
        failures.failed(tx).await?;
        return Err(
            Error::unprocessable("reauthentication_not_valid", "Nonce has expired or is invalid")
                .hint("GET /auth/v1/reauthenticate sends another."),
        );
    }
    Failures::forget(&tx, user.id).await?;
    tx.commit().await
}
