//! A person looks at their passkeys, gives one another name, takes one away.

use axum::{Json, body::Bytes, extract::Path, http::StatusCode, response::IntoResponse};
use serde::Deserialize;
use serde_json::json;
use tenon_sdk::{Error, Result, SystemTx, http::Caller};
use uuid::Uuid;

use super::{SHOWN, all, delete, not_found, shown};
use crate::identity::{
    audit,
    factors::{checked_name, person, require_level},
    routes::{Service, read},
};

/// `GET /passkeys`: the caller's own, oldest first.
pub(super) async fn list(service: Service, caller: Caller) -> Result<impl IntoResponse> {
    let (_, user) = person(&service, caller).await?;
    let tx = SystemTx::begin(&service.0.0.db, "own passkeys").await?;
    let all = all(&tx, user.id).await?;
    tx.commit().await?;
    Ok(Json(all))
}

#[derive(Deserialize)]
struct Rename {
    #[serde(default)]
    friendly_name: String,
}

/// `PATCH /passkeys/:id`.
pub(super) async fn rename(
    service: Service,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let (_, user) = person(&service, caller).await?;
    let Rename { friendly_name } = read(&body)?;
    let name = checked_name("friendly_name", &friendly_name)?;
    if name.is_empty() {
        return Err(Error::invalid("validation_failed", "friendly_name is required"));
    }
    let id = id.parse::<Uuid>().map_err(|_| not_found())?;
    let env = &service.0.0.env;
    let tx = SystemTx::begin(&service.0.0.db, "name of passkey").await?;
    let row = tx
        .query_opt(
            &format!(
                "update auth.webauthn_credentials set friendly_name = $3, updated_at = $4 \
                 where id = $1 and user_id = $2 returning {SHOWN}"
            ),
            &[&id, &user.id, &name, &env.now()],
        )
        .await?
        .ok_or_else(not_found)?;
    audit::record(
        &tx,
        env,
        Some(user.id),
        "passkey_updated",
        json!({ "passkey_id": id }),
    )
    .await?;
    tx.commit().await?;
    shown(&row).map(Json)
}

/// `DELETE /passkeys/:id`.
pub(super) async fn remove(
    service: Service,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let (session, user) = person(&service, caller).await?;
    let id = id.parse::<Uuid>().map_err(|_| not_found())?;
    let tx = SystemTx::begin(&service.0.0.db, "passkey removed").await?;
    require_level(&tx, user.id, session).await?;
    delete(&tx, user.id, id).await?;
    let traits = json!({ "passkey_id": id });
    audit::record(&tx, &service.0.0.env, Some(user.id), "passkey_deleted", traits).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
