//! The operator's list of programs, for the service role.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query},
    http::StatusCode,
    response::IntoResponse,
};
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx};

use super::{
    super::{
        super::{
            Identity,
            admin::{Admin, Page, page_headers},
            audit,
            routes::{Service, read},
        },
        fault::Fault,
    },
    COLUMNS, Client, hash, insert,
    metadata::Asked,
};

fn missing() -> Error {
    Error::not_found("oauth_client_not_found", "There is no such program.")
}

fn refused(fault: Fault) -> Error {
    Error::invalid("validation_failed", fault.description)
}

async fn found(tx: &SystemTx, id: &str) -> Result<Client> {
    Client::find(tx, id).await?.ok_or_else(missing)
}

pub(in super::super) async fn list(
    _: Admin,
    service: Service,
    Query(page): Query<Page>,
) -> Result<impl IntoResponse> {
    let (page, size) = page.read()?;
    let tx = SystemTx::begin(&service.0.0.db, "list of clients").await?;
    let rows = tx
        .query(
            &format!(
                "select {COLUMNS} from auth.oauth_clients c order by c.created_at desc, c.id limit $1 offset $2"
            ),
            &[&size, &((page - 1) * size)],
        )
        .await?;
    let total: i64 = tx
        .query_one("select count(*) from auth.oauth_clients", &[])
        .await?
        .try_get(0)?;
    tx.commit().await?;
    let clients = rows
        .iter()
        .map(|row| Ok(Client::from_row(row)?.to_json(None)))
        .collect::<Result<Vec<_>>>()?;
    let about = page_headers("/auth/v1/admin/oauth/clients", page, size, total);
    Ok((about, Json(json!({ "clients": clients, "aud": "authenticated" }))))
}

pub(in super::super) async fn create(_: Admin, service: Service, body: Bytes) -> Result<impl IntoResponse> {
    let metadata = read::<Asked>(&body)?.fresh().map_err(refused)?;
    let tx = SystemTx::begin(&service.0.0.db, "new client").await?;
    let made = insert(&service, &tx, &metadata, "manual").await?;
    record(&service, &tx, "oauth_client_created", &made).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn record(identity: &Identity, tx: &SystemTx, action: &str, client: &Value) -> Result<()> {
    let traits = json!({ "client_id": client["client_id"], "client_name": client["client_name"] });
    audit::record(tx, &identity.0.env, None, action, traits).await
}

pub(in super::super) async fn one(
    _: Admin,
    service: Service,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let tx = SystemTx::begin(&service.0.0.db, "client").await?;
    let client = found(&tx, &id).await?;
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
    let client = found(&tx, &id).await?;
    let was = client.confidential();
    let metadata = asked.over(client.metadata).map_err(refused)?;
    if metadata.confidential() != was {
        return Err(
            Error::invalid("validation_failed", "A program stays public or confidential.")
                .hint("Register it anew."),
        );
    }
    let row = tx
        .query_one(
            &format!(
                "update auth.oauth_clients c set token_endpoint_auth_method = $2, redirect_uris = $3, \
                 grant_types = $4, client_name = $5, client_uri = $6, logo_uri = $7, scope = $8, updated_at = $9 \
                 where c.id = $1 returning {COLUMNS}"
            ),
            &[
                &client.id,
                &metadata.method,
                &metadata.redirect_uris,
                &metadata.grant_types,
                &metadata.name,
                &metadata.uri,
                &metadata.logo_uri,
                &metadata.scope,
                &service.0.0.env.now(),
            ],
        )
        .await?;
    let changed = Client::from_row(&row)?.to_json(None);
    record(&service, &tx, "oauth_client_updated", &changed).await?;
    tx.commit().await?;
    Ok(Json(changed))
}

/// Forgets a program; its sessions and grants end with it.
pub(in super::super) async fn delete(
    _: Admin,
    service: Service,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let tx = SystemTx::begin(&service.0.0.db, "deletion of client").await?;
    let client = found(&tx, &id).await?;
    tx.execute("delete from auth.oauth_clients where id = $1", &[&client.id])
        .await?;
    record(&service, &tx, "oauth_client_deleted", &client.to_json(None)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a program another secret; the old one is void at once.
pub(in super::super) async fn regenerate_secret(
    _: Admin,
    service: Service,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let env = &service.0.0.env;
    let tx = SystemTx::begin(&service.0.0.db, "new secret of client").await?;
    let client = found(&tx, &id).await?;
    if !client.confidential() {
        return Err(Error::invalid(
            "validation_failed",
            "A public program has no secret.",
        ));
    }
    let secret = env.new_secret::<32>();
    tx.execute(
        "update auth.oauth_clients set client_secret_hash = $2, updated_at = $3 where id = $1",
        &[&client.id, &hash(&secret), &env.now()],
    )
    .await?;
    let shown = client.to_json(Some(&secret));
    record(&service, &tx, "oauth_client_secret_regenerated", &shown).await?;
    tx.commit().await?;
    Ok(Json(shown))
}
