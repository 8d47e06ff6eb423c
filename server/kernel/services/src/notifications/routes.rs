//! `/api/v1/notifications`: a person's notices in an organisation, and what they chose for all of them.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tenon_sdk::{
    Kernel, Result,
    http::{Caller, ErrorBody, Json, Permit, Query},
    module::Routes,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    mailbox,
    notices::{self, NoticePage, ReadState, Wanted},
    people::{self, NewPreferences, Preferences},
};
use crate::tenancy::OrganizationRead;

pub(super) fn routes() -> Routes {
    mailbox::routes()
        .routes(routes!(list))
        .routes(routes!(mark))
        .routes(routes!(preferences, change_preferences))
}

/// The caller's own notices in the organisation, newest first.
#[utoipa::path(get, path = "/api/v1/notifications", tag = "notifications", params(Wanted),
    responses((status = 200, body = NoticePage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn list(permit: Permit<OrganizationRead>, Query(wanted): Query<Wanted>) -> Result<Json<NoticePage>> {
    let tx = permit.begin().await?;
    let page = notices::list(&tx, &wanted).await?;
    tx.commit().await?;
    Ok(Json(page))
}

/// How many changed.
#[derive(Debug, Serialize, ToSchema)]
struct Marked {
    changed: u64,
}

/// Marks notices of the caller as read, or as new again.
#[utoipa::path(post, path = "/api/v1/notifications/read", tag = "notifications", request_body = ReadState,
    responses((status = 200, body = Marked), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn mark(permit: Permit<OrganizationRead>, Json(state): Json<ReadState>) -> Result<Json<Marked>> {
    let tx = permit.begin().await?;
    let changed = notices::mark(&tx, &state).await?;
    tx.commit().await?;
    Ok(Json(Marked { changed }))
}

/// How words are written.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Reader {
    /// Such as `de`; absent: English.
    #[serde(default)]
    language: String,
}

/// What the caller chose to be told, by kind and channel, and when.
#[utoipa::path(get, path = "/api/v1/notifications/preferences", tag = "notifications", params(Reader),
    responses((status = 200, body = Preferences), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn preferences(
    caller: Caller,
    State(kernel): State<Kernel>,
    Query(reader): Query<Reader>,
) -> Result<Json<Preferences>> {
    people::load(&kernel, caller.user, &reader.language)
        .await
        .map(Json)
}

/// Changes what the caller is told, as a whole.
#[utoipa::path(put, path = "/api/v1/notifications/preferences", tag = "notifications", request_body = NewPreferences,
    responses((status = 204), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn change_preferences(
    caller: Caller,
    State(kernel): State<Kernel>,
    Json(new): Json<NewPreferences>,
) -> Result<StatusCode> {
    people::save(&kernel, caller.user, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}
