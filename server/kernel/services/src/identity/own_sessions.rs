//! A person's sessions, for themselves: where they are signed in, and signing out from afar.

use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    response::IntoResponse,
    routing::{delete, get},
};
use serde_json::{Value, json};
use tenon_sdk::{Error, Kernel, Result, SystemTx, http::Caller};
use uuid::Uuid;

use super::{audit, errors, routes::Service, sessions};

pub(super) fn routes() -> Router<Kernel> {
    Router::new()
        .route("/auth/v1/sessions", get(list))
        .route("/auth/v1/sessions/{id}", delete(end))
}

/// The caller's sessions, the one used last first.
async fn list(service: Service, caller: Caller) -> Result<impl IntoResponse> {
    let current = caller.identity.session.ok_or_else(errors::session_not_found)?;
    let tx = SystemTx::begin(&service.0.0.db, "own sessions").await?;
    sessions::whose(&service, &tx, current).await?;
    let rows = tx
        .query(
            "select jsonb_build_object('id', id, 'created_at', created_at, 'refreshed_at', refreshed_at, \
             'user_agent', user_agent, 'ip', host(ip), 'aal', aal, 'amr', amr, 'not_after', not_after, \
             'program', (select client_name from auth.oauth_clients c where c.id = oauth_client_id), \
             'current', id = $2) from auth.sessions where user_id = $1 order by refreshed_at desc, id limit 200",
            &[&caller.user, &current],
        )
        .await?;
    tx.commit().await?;
    let sessions = rows
        .iter()
        .map(|row| row.try_get(0).map_err(Error::from))
        .collect::<Result<Vec<Value>>>()?;
    Ok(Json(json!({ "sessions": sessions })))
}

/// Ends one of the caller's sessions; one that is not theirs is none.
async fn end(service: Service, caller: Caller, Path(session): Path<String>) -> Result<impl IntoResponse> {
    let current = caller.identity.session.ok_or_else(errors::session_not_found)?;
    let session: Uuid = session.parse().map_err(|_| errors::session_not_found())?;
    let tx = SystemTx::begin(&service.0.0.db, "end of an own session").await?;
    sessions::whose(&service, &tx, current).await?;
    let ended = tx
        .execute(
            "delete from auth.sessions where id = $1 and user_id = $2",
            &[&session, &caller.user],
        )
        .await?;
    if ended == 0 {
        return Err(errors::session_not_found());
    }
    audit::record(
        &tx,
        &service.0.0.env,
        Some(caller.user.0),
        "logout",
        json!({ "session_id": session }),
    )
    .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
