//! What the law lets people ask of an installation about themselves.

use axum::{
    Json, Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use serde::Deserialize;
use serde_json::json;
use tenon_sdk::{Kernel, Result, SystemTx, http::Caller};

use super::{
    audit, errors,
    routes::{Service, current, read},
    users,
};

pub(super) fn routes() -> Router<Kernel> {
    Router::new().route("/auth/v1/user/data", get(export).delete(erase))
}

/// All that is kept of the caller.
async fn export(service: Service, caller: Result<Caller>, headers: HeaderMap) -> Response {
    let result = async {
        let (_, user) = current(&service, &caller?).await?;
        let tx = SystemTx::begin(&service.0.0.db, "export of oneself").await?;
        let export = users::export(&tx, user.id).await?;
        tx.commit().await?;
        Ok(Json(export))
    };
    errors::respond(&headers, result.await)
}

#[derive(Deserialize)]
struct Erase {
    #[serde(default)]
    password: String,
}

/// Takes away whatever could name the caller, and ends their sessions. Whoever has a password gives it: an open page on a shared
/// computer is no wish.
///
/// Errors: `invalid_credentials`; `auth.last_owner` while an organisation would be left without an owner.
async fn erase(service: Service, caller: Result<Caller>, headers: HeaderMap, body: Bytes) -> Response {
    let result = async {
        let (_, user) = current(&service, &caller?).await?;
        let ask: Erase = read(&body)?;
        if user.password.is_some() {
            let passwords = &service.0.0.passwords;
            let fits = ask.password.len() <= super::passwords::MAX_BYTES
                && passwords.verify(ask.password, user.password.clone()).await?;
            if !fits {
                return Err(errors::invalid_credentials());
            }
        }
        let tx = SystemTx::begin(&service.0.0.db, "erasure of oneself").await?;
        users::erase(&service, &tx, user.id).await?;
        audit::record(
            &tx,
            &service.0.0.env,
            Some(user.id),
            "user_deleted",
            json!({ "erased": true }),
        )
        .await?;
        tx.commit().await?;
        Ok(StatusCode::NO_CONTENT)
    };
    errors::respond(&headers, result.await)
}
