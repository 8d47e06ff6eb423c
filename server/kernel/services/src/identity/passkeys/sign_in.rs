//! Somebody signs in by a passkey.

use axum::{Json, body::Bytes, http::HeaderMap, response::IntoResponse};
use serde_json::Value;
use tenon_sdk::{Error, Result, SystemTx};
use uuid::Uuid;
use webauthn_rs::prelude::{Passkey, PublicKeyCredential};

use super::{Answer, failed, remember, take};
use crate::identity::{
    Identity, errors,
    factors::lock_person,
    routes::{Service, read, user_agent},
    sessions::{self, Method},
    users,
};

/// `POST /passkeys/authentication/options`: the same for everybody, since nobody is named.
pub(super) async fn ask(service: Service) -> Result<impl IntoResponse> {
    let (options, state) = service.relying_party()?.ask_passkey()?;
    let tx = SystemTx::begin(&service.0.0.db, "sign-in by passkey").await?;
    let answer = remember(&service, &tx, None, "authentication", options, &state).await?;
    tx.commit().await?;
    Ok(Json(answer))
}

/// `POST /passkeys/authentication/verify`.
pub(super) async fn sign_in(service: Service, headers: HeaderMap, body: Bytes) -> Result<impl IntoResponse> {
    let answer: Answer = read(&body)?;
    sign_in_with(&service, answer, user_agent(&headers))
        .await
        .map(Json)
}

async fn sign_in_with(identity: &Identity, answer: Answer, user_agent: Option<&str>) -> Result<Value> {
    let relying_party = identity.relying_party()?;
    let state = take(identity, None, "authentication", &answer.challenge_id).await?;
    let shown: PublicKeyCredential = serde_json::from_value(answer.credential).map_err(|_| failed())?;
    let (user, key) = relying_party.claimed(&shown).ok_or_else(failed)?;
    let now = identity.0.env.now();
    let tx = SystemTx::begin(&identity.0.db, "sign-in by passkey").await?;
    lock_person(&tx, user).await?;
    let row = tx
        .query_opt(
            "select id, credential from auth.webauthn_credentials \
             where credential_id = $1 and user_id = $2 and credential is not null for update",
            &[&key, &user],
        )
        .await?
        .ok_or_else(failed)?;
    let id: Uuid = row.try_get(0)?;
    let mut passkey: Passkey = serde_json::from_value(row.try_get(1)?).map_err(Error::internal)?;
    let result = relying_party
        .answered_passkey(state, &shown, &passkey)
        .ok_or_else(failed)?;
    passkey.update_credential(&result);
    let kept = serde_json::to_value(&passkey).map_err(Error::internal)?;
    tx.execute(
        "update auth.webauthn_credentials set credential = $2, sign_count = $3, backed_up = $4, \
             last_used_at = $5, updated_at = $5 where id = $1",
        &[
            &id,
            &kept,
            &i64::from(result.counter()),
            &result.backup_state(),
            &now,
        ],
    )
    .await?;
    let person = users::find(&tx, user).await?.ok_or_else(failed)?;
    if person.erased() {
        return Err(failed());
    }
    if person.banned(now) {
        return Err(errors::user_banned());
    }
    if person.email.is_some() && !person.confirmed() {
        return Err(errors::email_not_confirmed());
    }
    sessions::open(identity, tx, user, Method::Passkey, user_agent).await
}
