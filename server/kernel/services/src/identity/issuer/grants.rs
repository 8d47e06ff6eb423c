//! A person looks through what they let programs do, and takes it back.

use axum::{Json, extract::Query, http::StatusCode, response::IntoResponse};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, http::Caller};

use super::{
    super::{
        audit,
        routes::{Service, current},
    },
    clients::{COLUMNS, Client},
    id,
    scopes::Scopes,
};

pub(super) async fn list(service: Service, caller: Caller) -> Result<impl IntoResponse> {
    let (_, user) = current(&service, &caller).await?;
    let tx = SystemTx::begin(&service.0.0.db, "grants").await?;
    let rows = tx
        .query(
            &format!(
                "select {COLUMNS}, k.scopes, k.granted_at from auth.oauth_consents k \
                 join auth.oauth_clients c on c.id = k.client_id \
                 where k.user_id = $1 and k.revoked_at is null order by k.granted_at desc, k.id"
            ),
            &[&user.id],
        )
        .await?;
    tx.commit().await?;
    let grants = rows
        .iter()
        .map(|row| {
            let scopes = Scopes::read(row.try_get(12)?).unwrap_or_default();
            Ok(json!({
                "client": Client::from_row(row)?.shown(),
                "scopes": scopes.list(),
                "granted_at": row.try_get::<_, Timestamp>(13)?,
            }))
        })
        .collect::<Result<Vec<Value>>>()?;
    Ok(Json(grants))
}

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    client_id: String,
}

fn missing() -> Error {
    Error::not_found("oauth_consent_not_found", "No program of this id is connected.")
}

/// Takes a grant back: the program's sessions end, and it has to ask again.
pub(super) async fn revoke(
    service: Service,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<impl IntoResponse> {
    let (_, user) = current(&service, &caller).await?;
    let client = id(&which.client_id, missing)?;
    let (env, now) = (&service.0.0.env, service.0.0.env.now());
    let tx = SystemTx::begin(&service.0.0.db, "revocation of a grant").await?;
    let revoked = tx
        .execute(
            "update auth.oauth_consents set revoked_at = $3 \
             where user_id = $1 and client_id = $2 and revoked_at is null",
            &[&user.id, &client, &now],
        )
        .await?;
    if revoked == 0 {
        return Err(missing());
    }
    // Codes on their way first: one that is being exchanged has made its session when this goes on.
    tx.execute(
        "delete from auth.oauth_authorizations where user_id = $1 and client_id = $2",
        &[&user.id, &client],
    )
    .await?;
    tx.execute(
        "delete from auth.sessions where user_id = $1 and oauth_client_id = $2",
        &[&user.id, &client],
    )
    .await?;
    let traits = json!({ "client_id": client });
    audit::record(&tx, env, Some(user.id), "oauth_grant_revoked", traits).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
