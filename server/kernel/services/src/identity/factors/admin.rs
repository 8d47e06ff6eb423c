//! Second factors of people, for programs of the operator's own: to help somebody who has lost theirs.

use axum::{Json, extract::Path, response::IntoResponse};
use serde_json::{Value, json};
use tenon_sdk::{Result, SystemTx};

use super::{Factor, lock_person, remove::take_away};
use crate::identity::{
    admin::{Admin, user_id},
    errors,
    routes::Service,
    users,
};

/// `GET /admin/users/:id/factors`.
pub(super) async fn list(_: Admin, service: Service, Path(user): Path<String>) -> Result<impl IntoResponse> {
    let user = user_id(&user)?;
    let tx = SystemTx::begin(&service.0.0.db, "factors for the operator").await?;
    let user = users::find(&tx, user).await?.ok_or_else(errors::user_not_found)?;
    tx.commit().await?;
    Ok(Json(match user.to_json()["factors"].take() {
        Value::Array(all) => all,
        _ => Vec::new(),
    }))
}

/// `DELETE /admin/users/:id/factors/:factor`. The person is told, and keeps what rests on their other factors.
pub(super) async fn remove(
    _: Admin,
    service: Service,
    Path((user, factor)): Path<(String, String)>,
) -> Result<impl IntoResponse> {
    let user = user_id(&user)?;
    let tx = SystemTx::begin(&service.0.0.db, "factor removed by the operator").await?;
    lock_person(&tx, user).await?;
    let user = users::find(&tx, user).await?.ok_or_else(errors::user_not_found)?;
    let factor = Factor::lock(&tx, user.id, &factor).await?;
    take_away(&service, &tx, &user, &factor, None).await?;
    tx.commit().await?;
    Ok(Json(
        json!({ "id": factor.id, "factor_type": factor.kind.name() }),
    ))
}
