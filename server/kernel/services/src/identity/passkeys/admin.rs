//! Passkeys of people, for programs of the operator's own.

use axum::{Json, extract::Path, http::StatusCode, response::IntoResponse};
use serde_json::json;
use tenon_sdk::{Result, SystemTx};

use super::{all, delete, not_found};
use crate::identity::{
    admin::{Admin, user_id},
    audit, errors,
    factors::lock_person,
    routes::Service,
    users,
};

/// `GET /admin/users/:id/passkeys`.
pub(super) async fn list(_: Admin, service: Service, Path(user): Path<String>) -> Result<impl IntoResponse> {
    let user = user_id(&user)?;
    let tx = SystemTx::begin(&service.0.0.db, "passkeys for the operator").await?;
    users::find(&tx, user).await?.ok_or_else(errors::user_not_found)?;
    let all = all(&tx, user).await?;
    tx.commit().await?;
    Ok(Json(all))
}

/// `DELETE /admin/users/:id/passkeys/:passkey`.
pub(super) async fn remove(
    _: Admin,
    service: Service,
    Path((user, passkey)): Path<(String, String)>,
) -> Result<impl IntoResponse> {
    let user = user_id(&user)?;
    let tx = SystemTx::begin(&service.0.0.db, "passkey removed by the operator").await?;
    lock_person(&tx, user).await?;
    users::find(&tx, user).await?.ok_or_else(errors::user_not_found)?;
    let passkey = passkey.parse().map_err(|_| not_found())?;
    delete(&tx, user, passkey).await?;
    let traits = json!({ "passkey_id": passkey, "user_id": user });
    audit::record(&tx, &service.0.0.env, None, "passkey_deleted", traits).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
