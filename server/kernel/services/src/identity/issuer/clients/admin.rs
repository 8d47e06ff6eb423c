//! The operator's list of programs, for the service role.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query},
    http::StatusCode,
    response::IntoResponse,
};
use serde_json::json;
use tenon_sdk::{Error, Result, SystemTx};

use super::{
    super::super::{
        admin::{Admin, Page},
        routes::{Service, read},
    },
    COLUMNS, Client,
    commands::{self, Asked},
};

fn missing() -> Error {
    Error::not_found("oauth_client_not_found", "There is no such program.")
}

fn refused(why: String) -> Error {
    Error::invalid("validation_failed", why)
}

/// The program of an id, for a change of it.
async fn locked(tx: &SystemTx, id: &str) -> Result<Client> {
    let id = super::super::id(id, missing)?;
    commands::locked(tx, id).await?.ok_or_else(missing)
}

pub(in super::super) async fn list(
    _: Admin,
    service: Service,
    Query(page): Query<Page>,
) -> Result<impl IntoResponse> {
    let (about, rows) = page
        .of(
            &service,
            "list of clients",
            "/auth/v1/admin/oauth/clients",
            COLUMNS,
            "auth.oauth_clients c",
        )
        .await?;
    let clients = rows
        .iter()
        .map(|row| Ok(Client::from_row(row)?.to_json(None)))
        .collect::<Result<Vec<_>>>()?;
    Ok((about, Json(json!({ "clients": clients, "aud": "authenticated" }))))
}

pub(in super::super) async fn create(_: Admin, service: Service, body: Bytes) -> Result<impl IntoResponse> {
    let metadata = commands::check(read::<Asked>(&body)?, None, refused)?;
    let tx = SystemTx::begin(&service.0.0.db, "new client").await?;
    let (made, secret) = commands::create(&service.0.0.env, &tx, None, &metadata).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(made.to_json(secret.as_deref()))))
}

pub(in super::super) async fn one(
    _: Admin,
    service: Service,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let tx = SystemTx::begin(&service.0.0.db, "client").await?;
    let client = Client::find(&tx, &id).await?.ok_or_else(missing)?;
    tx.commit().await?;
    Ok(Json(client.to_json(None)))
}

pub(in super::super) async fn update(
    _: Admin,
    service: Service,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let asked: Asked = read(&body)?;
    let tx = SystemTx::begin(&service.0.0.db, "change of client").await?;
    let client = locked(&tx, &id).await?;
    let metadata = commands::check(asked, Some(&client), refused)?;
    let changed = commands::change(&service.0.0.env, &tx, None, &client, &metadata).await?;
    tx.commit().await?;
    Ok(Json(changed.to_json(None)))
}

/// Forgets a program; its sessions and grants end with it.
pub(in super::super) async fn delete(
    _: Admin,
    service: Service,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let tx = SystemTx::begin(&service.0.0.db, "deletion of client").await?;
    let client = locked(&tx, &id).await?;
    commands::remove(&service.0.0.env, &tx, None, &client).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a program another secret; the old one is void at once.
pub(in super::super) async fn regenerate_secret(
    _: Admin,
    service: Service,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let tx = SystemTx::begin(&service.0.0.db, "new secret of client").await?;
    let client = locked(&tx, &id).await?;
    let secret = commands::renew_secret(&service.0.0.env, &tx, None, &client).await?;
    let secret = secret.ok_or_else(|| refused("A public program has no secret.".to_owned()))?;
    tx.commit().await?;
    Ok(Json(client.to_json(Some(&secret))))
}
