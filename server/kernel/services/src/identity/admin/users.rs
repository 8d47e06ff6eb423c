//! People's accounts, for programs of the operator's own.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Kernel, Result, SystemTx, http::ClientAddress};
use uuid::Uuid;

use super::{Admin, Page, attributes::Attributes};
use crate::identity::{
    audit, errors,
    hooks::Newcomer,
    routes::{Service, read},
    users::{self, User},
};

pub(super) async fn list(_: Admin, service: Service, Query(page): Query<Page>) -> Result<impl IntoResponse> {
    let (about, rows) = page
        .of(
            &service,
            "list of users",
            "/auth/v1/admin/users",
            users::COLUMNS,
            "auth.users",
        )
        .await?;
    let users = rows
        .iter()
        .map(|row| Ok(User::from_row(row)?.to_json()))
        .collect::<Result<Vec<Value>>>()?;
    Ok((about, Json(json!({ "users": users, "aud": "authenticated" }))))
}

pub(super) async fn create(
    _: Admin,
    service: Service,
    client: ClientAddress,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let asked: Attributes = read(&body)?;
    let id = asked.id.unwrap_or_else(|| service.0.0.env.new_id());
    let checked = asked.check(&service).await?;
    if checked.email.is_none() && checked.phone.is_none() {
        return Err(Error::invalid(
            "validation_failed",
            "Cannot create a user without either an email or phone",
        ));
    }
    let data = checked.data();
    let newcomer = Newcomer {
        email: checked.email.as_deref().unwrap_or_default(),
        phone: checked.phone.as_deref().unwrap_or_default(),
        data: &data,
        provider: checked.first_way(),
    };
    service.before_user_created(client, &newcomer).await?;
    let tx = SystemTx::begin(&service.0.0.db, "user made by the operator").await?;
    let inserted = tx
        .execute(
            "insert into auth.users (id, raw_app_meta_data, created_at, updated_at) \
             values ($1, $2, $3, $3) on conflict do nothing",
            &[&id, &checked.ways_in(), &service.0.0.env.now()],
        )
        .await?;
    if inserted == 0 {
        return Err(Error::unprocessable(
            "user_already_exists",
            "A user with this id exists already.",
        ));
    }
    let user = checked.apply(&service, &tx, id).await?;
    audit::record(
        &tx,
        &service.0.0.env,
        None,
        "user_signedup",
        json!({ "user_id": id }),
    )
    .await?;
    tx.commit().await?;
    service.after_user_created(client, id);
    Ok(Json(user.to_json()))
}

/// The id of a path; what is none is refused as the clients expect.
pub(in crate::identity) fn id(text: &str) -> Result<Uuid> {
    text.parse()
        .map_err(|_| Error::not_found("validation_failed", "user_id must be an UUID"))
}

pub(super) async fn one(_: Admin, service: Service, Path(user): Path<String>) -> Result<impl IntoResponse> {
    let user = id(&user)?;
    let tx = SystemTx::begin(&service.0.0.db, "user for the operator").await?;
    let user = users::find(&tx, user).await?.ok_or_else(errors::user_not_found)?;
    tx.commit().await?;
    Ok(Json(user.to_json()))
}

pub(super) async fn update(
    _: Admin,
    service: Service,
    Path(user): Path<String>,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let user = id(&user)?;
    let checked = read::<Attributes>(&body)?.check(&service).await?;
    let tx = SystemTx::begin(&service.0.0.db, "user changed by the operator").await?;
    let user = checked.apply(&service, &tx, user).await?;
    audit::record(
        &tx,
        &service.0.0.env,
        None,
        "user_modified",
        json!({ "user_id": user.id }),
    )
    .await?;
    tx.commit().await?;
    Ok(Json(user.to_json()))
}

#[derive(Default, Deserialize)]
struct Delete {
    #[serde(default)]
    should_soft_delete: bool,
}

pub(super) async fn delete(
    _: Admin,
    service: Service,
    State(kernel): State<Kernel>,
    Path(user): Path<String>,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let user = id(&user)?;
    let ask: Delete = if body.is_empty() {
        Delete::default()
    } else {
        read(&body)?
    };
    let tx = SystemTx::begin(&service.0.0.db, "user deleted by the operator").await?;
    if ask.should_soft_delete {
        users::erase(&kernel, &tx, user).await?;
    } else {
        users::delete(&kernel, &tx, user).await?;
    }
    audit::record(
        &tx,
        &service.0.0.env,
        None,
        "user_deleted",
        json!({ "user_id": user, "erased": ask.should_soft_delete }),
    )
    .await?;
    tx.commit().await?;
    Ok(Json(json!({})))
}

pub(super) async fn export(
    _: Admin,
    service: Service,
    State(kernel): State<Kernel>,
    Path(user): Path<String>,
) -> Result<impl IntoResponse> {
    let user = id(&user)?;
    let export = users::export(&kernel, user).await?;
    let tx = SystemTx::begin(&service.0.0.db, "export of a user").await?;
    let traits = json!({ "user_id": user });
    audit::record(&tx, kernel.env(), None, "user_data_exported", traits).await?;
    tx.commit().await?;
    Ok(Json(export))
}

pub(super) async fn audit(_: Admin, service: Service, Query(page): Query<Page>) -> Result<impl IntoResponse> {
    let (about, rows) = page
        .of(
            &service,
            "audit log",
            "/auth/v1/admin/audit",
            "jsonb_build_object('id', id, 'payload', payload, 'created_at', created_at, 'ip_address', ip_address)",
            "auth.audit_log_entries",
        )
        .await?;
    let entries = rows
        .iter()
        .map(|row| row.try_get(0).map_err(Error::from))
        .collect::<Result<Vec<Value>>>()?;
    Ok((about, Json(entries)))
}
