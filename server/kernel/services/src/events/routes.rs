//! `/api/v1/events`.

use axum::http::StatusCode;
use tenon_sdk::{
    Result,
    http::{ErrorBody, Json, Path, Permit},
    module::Routes,
};
use utoipa_axum::routes;
use uuid::Uuid;

use super::{
    aside::{self, Place},
    permissions::{ConsumersManage, ConsumersRead},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_consumers))
        .routes(routes!(retry_event))
        .routes(routes!(drop_event))
}

/// How far the consumers of events have come in the organisation, and what they put aside.
#[utoipa::path(get, path = "/api/v1/events/consumers", tag = "events",
    responses((status = 200, body = Vec<Place>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_consumers(permit: Permit<ConsumersRead>) -> Result<Json<Vec<Place>>> {
    let ctx = permit.ctx();
    Ok(Json(aside::places(ctx.kernel(), ctx.org_id()).await?))
}

/// Has an event that was put aside handed over once more, behind what has happened since.
#[utoipa::path(post, path = "/api/v1/events/aside/{id}/retry", tag = "events", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn retry_event(permit: Permit<ConsumersManage>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    let ctx = permit.ctx();
    aside::retry_aside(ctx.kernel(), ctx.org_id(), ctx.user_id(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives up an event that was put aside.
#[utoipa::path(delete, path = "/api/v1/events/aside/{id}", tag = "events", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn drop_event(permit: Permit<ConsumersManage>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    let ctx = permit.ctx();
    aside::drop_aside(ctx.kernel(), ctx.org_id(), ctx.user_id(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
