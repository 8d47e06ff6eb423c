//! Passkeys: a key pair in a telephone, a password manager or a security key that signs somebody in without a password, in the wire
//! form of GoTrue.
//!
//! Like there, a session opened by a passkey is at `aal1` with the method `passkey`, although the device has checked its person:
//! whoever asks for a second factor gets a second one.

mod add;
mod admin;
mod own;
mod sign_in;

use axum::{
    Router,
    routing::{delete as remove, get, patch, post},
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Kernel, Result, SystemTx};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Identity,
    limits::{Limit, limited},
};

/// How long a ceremony may take.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/auth/v1/passkeys", get(own::list))
        .route("/auth/v1/passkeys/", get(own::list))
        .route(
            "/auth/v1/passkeys/registration/options",
            limited(Limit::Passkey, post(add::ask_new)),
        )
        .route(
            "/auth/v1/passkeys/registration/verify",
            limited(Limit::Passkey, post(add::add)),
        )
        .route(
            "/auth/v1/passkeys/authentication/options",
            limited(Limit::PasskeyOptions, post(sign_in::ask)),
        )
        .route(
            "/auth/v1/passkeys/authentication/verify",
            limited(Limit::Passkey, post(sign_in::sign_in)),
        )
        .route("/auth/v1/passkeys/{id}", patch(own::rename).delete(own::remove))
        .route("/auth/v1/admin/users/{id}/passkeys", get(admin::list))
        .route(
            "/auth/v1/admin/users/{id}/passkeys/{passkey}",
            remove(admin::remove),
        )
}

fn failed() -> Error {
    Error::invalid("webauthn_verification_failed", "Credential verification failed")
        .hint("Try again, or sign in another way.")
}

fn not_found() -> Error {
    Error::not_found("passkey_not_found", "Passkey not found")
}

/// Remembers what a ceremony was about. Those that nobody finished go.
async fn remember(
    identity: &Identity,
    tx: &SystemTx,
    user: Option<Uuid>,
    kind: &str,
    options: Value,
    state: &Value,
) -> Result<Value> {
    let (id, now) = (identity.0.env.new_id(), identity.0.env.now());
    let expires = now + LIFETIME;
    tx.execute(
        "delete from auth.webauthn_challenges where expires_at <= $1",
        &[&now],
    )
    .await?;
    tx.execute(
        "insert into auth.webauthn_challenges (id, user_id, challenge_type, session_data, created_at, expires_at) \
         values ($1, $2, $3, $4, $5, $6)",
        &[&id, &user, &kind, state, &now, &expires],
    )
    .await?;
    Ok(json!({ "challenge_id": id, "options": options, "expires_at": expires.as_second() }))
}

/// Takes what a ceremony was about, in a transaction of its own: whatever comes of it, each is good for one answer.
///
/// Errors: `webauthn_challenge_not_found`, `webauthn_challenge_expired`.
async fn take(identity: &Identity, user: Option<Uuid>, kind: &str, id: &str) -> Result<Value> {
    let unknown = || {
        Error::invalid(
            "webauthn_challenge_not_found",
            "Challenge not found or already used",
        )
        .hint("Try again.")
    };
    let id = id.parse::<Uuid>().map_err(|_| unknown())?;
    let tx = SystemTx::begin(&identity.0.db, "passkey ceremony").await?;
    let row = tx
        .query_opt(
            "delete from auth.webauthn_challenges where id = $1 and challenge_type = $2 \
             and user_id is not distinct from $3 returning session_data, expires_at",
            &[&id, &kind, &user],
        )
        .await?
        .ok_or_else(unknown)?;
    tx.commit().await?;
    if row.try_get::<_, Timestamp>(1)? <= identity.0.env.now() {
        return Err(Error::invalid("webauthn_challenge_expired", "Challenge has expired").hint("Try again."));
    }
    Ok(row.try_get(0)?)
}

/// What a client answers to a ceremony's options.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    challenge_id: String,
    #[serde(default, alias = "credential_response")]
    credential: Value,
    #[serde(default)]
    friendly_name: String,
}

const SHOWN: &str = "id, friendly_name, created_at, last_used_at";

fn shown(row: &Row) -> Result<Value> {
    let last_used: Option<Timestamp> = row.try_get(3)?;
    let mut shown = json!({
        "id": row.try_get::<_, Uuid>(0)?,
        "friendly_name": row.try_get::<_, String>(1)?,
        "created_at": row.try_get::<_, Timestamp>(2)?,
    });
    if let Some(at) = last_used {
        shown["last_used_at"] = json!(at);
    }
    Ok(shown)
}

/// Somebody's passkeys as they are shown, oldest first.
async fn all(tx: &SystemTx, user: Uuid) -> Result<Vec<Value>> {
    let sql =
        format!("select {SHOWN} from auth.webauthn_credentials where user_id = $1 order by created_at, id");
    tx.query(&sql, &[&user]).await?.iter().map(shown).collect()
}

/// Takes a passkey of somebody's away.
///
/// Errors: `passkey_not_found`, for other people's as for none.
async fn delete(tx: &SystemTx, user: Uuid, passkey: Uuid) -> Result<()> {
    let removed = tx
        .execute(
            "delete from auth.webauthn_credentials where id = $1 and user_id = $2",
            &[&passkey, &user],
        )
        .await?;
    if removed == 0 {
        return Err(not_found());
    }
    Ok(())
}
