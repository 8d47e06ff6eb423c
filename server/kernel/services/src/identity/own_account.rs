//! What the law lets people ask of an installation about themselves.

use axum::{
    Json, Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse, routing::get,
};
use serde::Deserialize;
use serde_json::json;
use tenon_sdk::{
    Kernel, Result, SystemTx,
    http::{Caller, ClientAddress},
};

use super::{
    Identity, audit, errors,
    limits::{Limit, limited},
    reauthentication,
    routes::{Service, current, read},
    sessions,
    users::{self, User},
};

pub(super) fn routes() -> Router<Kernel> {
    Router::new().route(
        "/auth/v1/user/data",
        limited(Limit::Otp, get(export).delete(erase)),
    )
}

/// All that is kept of the caller, who shows the second factor they have: it is more than any page shows.
///
/// Errors: `insufficient_aal`, `over_request_rate_limit`.
async fn export(service: Service, State(kernel): State<Kernel>, caller: Caller) -> Result<impl IntoResponse> {
    let (session, user) = current(&service, &caller).await?;
    service.limit_person(Limit::Otp, user.id)?;
    reauthentication::require(&service, &user, session, false, None).await?;
    let export = users::export(&kernel, user.id).await?;
    let tx = SystemTx::begin(&service.0.0.db, "export of oneself").await?;
    audit::record(&tx, kernel.env(), Some(user.id), "user_data_exported", json!({})).await?;
    tx.commit().await?;
    Ok(Json(export))
}

#[derive(Deserialize)]
struct Erase {
    #[serde(default)]
    password: String,
    nonce: Option<String>,
}

/// Takes away whatever could name the caller, and ends their sessions. Whoever has a password gives it: an open page on a shared
/// computer is no wish. Whoever has none shows a code, as for a new password. A second factor is needed by who has one.
///
/// Errors: `invalid_credentials`, `over_request_rate_limit`, those of [`reauthentication::require`]; `auth.last_owner` while an
/// organisation would be left without an owner.
async fn erase(
    service: Service,
    State(kernel): State<Kernel>,
    caller: Caller,
    client: ClientAddress,
    body: Bytes,
) -> Result<impl IntoResponse> {
    let (session, user) = current(&service, &caller).await?;
    service.limit_person(Limit::Otp, user.id)?;
    let ask: Erase = read(&body)?;
    let by_code = user.password.is_none();
    reauthentication::require(&service, &user, session, by_code, ask.nonce.as_deref()).await?;
    if !by_code {
        own_password(&service, &user, ask.password, client).await?;
    }
    let tx = SystemTx::begin(&service.0.0.db, "erasure of oneself").await?;
    // The session may have ended while the password was looked at.
    sessions::whose(&service, &tx, session).await?;
    users::erase(&kernel, &tx, user.id).await?;
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
}

/// An error unless the password is the person's. Guesses count as those at sign-in do, and with them.
async fn own_password(
    identity: &Identity,
    user: &User,
    password: String,
    client: ClientAddress,
) -> Result<()> {
    let id = user.id.to_string();
    let account = user.email.as_deref().or(user.phone.as_deref()).unwrap_or(&id);
    identity.0.guesses.begin(account, client)?;
    let fits = password.len() <= super::passwords::MAX_BYTES
        && identity
            .0
            .passwords
            .verify(password, user.password.clone())
            .await?;
    if !fits {
        return Err(errors::invalid_credentials());
    }
    identity.0.guesses.succeeded(account, client);
    Ok(())
}
