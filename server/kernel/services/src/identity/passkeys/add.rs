//! A person adds a passkey.

use axum::{Json, body::Bytes, response::IntoResponse};
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, http::Caller};
use uuid::Uuid;

use super::{Answer, failed, remember, take};
use crate::identity::{
    Identity, audit,
    factors::{checked_name, lock_person, person, require_level},
    routes::{Service, read},
    users::User,
    webauthn::known_keys,
};

/// Most passkeys of one person.
const MOST: i64 = 10;

fn too_many() -> Error {
    Error::unprocessable("too_many_passkeys", "Maximum number of passkeys reached")
        .hint("Remove one that is not used any more.")
}

async fn count(tx: &SystemTx, user: Uuid) -> Result<i64> {
    tx.query_one(
        "select count(*) from auth.webauthn_credentials where user_id = $1",
        &[&user],
    )
    .await?
    .try_get(0)
    .map_err(Error::from)
}

/// `POST /passkeys/registration/options`.
pub(super) async fn ask_new(service: Service, caller: Caller) -> Result<impl IntoResponse> {
    let relying_party = service.relying_party()?;
    let (session, user) = person(&service, caller).await?;
    let tx = SystemTx::begin(&service.0.0.db, "new passkey").await?;
    require_level(&tx, user.id, session).await?;
    if count(&tx, user.id).await? >= MOST {
        return Err(too_many());
    }
    let known = known_keys(&tx, user.id).await?;
    let (options, state) = relying_party.register_passkey(&user, known)?;
    let answer = remember(&service, &tx, Some(user.id), "registration", options, &state).await?;
    tx.commit().await?;
    Ok(Json(answer))
}

/// `POST /passkeys/registration/verify`.
pub(super) async fn add(service: Service, caller: Caller, body: Bytes) -> Result<impl IntoResponse> {
    let (session, user) = person(&service, caller).await?;
    add_for(&service, session, &user, read(&body)?).await.map(Json)
}

async fn add_for(identity: &Identity, session: Uuid, user: &User, answer: Answer) -> Result<Value> {
    let relying_party = identity.relying_party()?;
    let name = checked_name("friendly_name", &answer.friendly_name)?;
    let state = take(identity, Some(user.id), "registration", &answer.challenge_id).await?;
    let passkey = relying_party
        .registered_passkey(state, answer.credential)
        .ok_or_else(failed)?;
    let kept = serde_json::to_value(&passkey).map_err(Error::internal)?;
    let about = &kept["cred"];
    let (env, now) = (&identity.0.env, identity.0.env.now());
    let tx = SystemTx::begin(&identity.0.db, "new passkey").await?;
    lock_person(&tx, user.id).await?;
    require_level(&tx, user.id, session).await?;
    if count(&tx, user.id).await? >= MOST {
        return Err(too_many());
    }
    let id = env.new_id();
    let transports = match &about["transports"] {
        Value::Array(all) => json!(all),
        _ => json!([]),
    };
    let flag = |name: &str| about[name].as_bool().unwrap_or(false);
    tx.execute(
        "insert into auth.webauthn_credentials (id, user_id, credential_id, sign_count, transports, \
             backup_eligible, backed_up, friendly_name, created_at, updated_at, credential) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)",
        &[
            &id,
            &user.id,
            passkey.cred_id(),
            &about["counter"].as_i64().unwrap_or(0),
            &transports,
            &flag("backup_eligible"),
            &flag("backup_state"),
            &name,
            &now,
            &kept,
        ],
    )
    .await
    .map_err(|error| {
        error.if_taken(|| {
            Error::unprocessable(
                "webauthn_credential_exists",
                "This credential is already registered",
            )
        })
    })?;
    audit::record(
        &tx,
        env,
        Some(user.id),
        "passkey_created",
        json!({ "passkey_id": id }),
    )
    .await?;
    tx.commit().await?;
    Ok(json!({
        "id": id, "friendly_name": name, "created_at": now, "transports": transports,
        "backup_eligible": flag("backup_eligible"), "backed_up": flag("backup_state"),
    }))
}
