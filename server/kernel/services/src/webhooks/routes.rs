//! `/api/v1/webhooks`.

use axum::http::StatusCode;
use tenon_sdk::{
    Result,
    http::{ErrorBody, Json, Path, Permit, Query, Tx},
    module::Routes,
};
use utoipa_axum::routes;
use uuid::Uuid;

use super::{
    endpoints,
    log::{self, DeliveryDetail, DeliveryPage, Wanted},
    permissions::{EndpointsManage, EndpointsRead},
    resend::{self, Recovered, Since, TestSent},
    shapes::{ChangedEndpoint, Endpoint, MadeEndpoint, NewEndpoint, RotatedSecret, Rotation},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_endpoints, create_endpoint))
        .routes(routes!(change_endpoint, delete_endpoint))
        .routes(routes!(rotate_secret))
        .routes(routes!(send_test))
        .routes(routes!(recover_deliveries))
        .routes(routes!(list_deliveries))
        .routes(routes!(show_delivery))
        .routes(routes!(resend_delivery))
}

/// Who outside is told what happens.
#[utoipa::path(get, path = "/api/v1/webhooks/endpoints", tag = "webhooks",
    responses((status = 200, body = Vec<Endpoint>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_endpoints(permit: Permit<EndpointsRead>) -> Result<Json<Vec<Endpoint>>> {
    Ok(Json(endpoints::list(permit.ctx()).await?))
}

/// Makes an endpoint. Its secret is shown this once.
#[utoipa::path(post, path = "/api/v1/webhooks/endpoints", tag = "webhooks", request_body = NewEndpoint,
    responses((status = 201, body = MadeEndpoint), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_endpoint(
    permit: Permit<EndpointsManage>,
    Json(new): Json<NewEndpoint>,
) -> Result<(StatusCode, Json<MadeEndpoint>)> {
    let made = endpoints::create(permit.ctx(), &new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Changes an endpoint, switches it off or on.
#[utoipa::path(patch, path = "/api/v1/webhooks/endpoints/{id}", tag = "webhooks", request_body = ChangedEndpoint,
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn change_endpoint(
    permit: Permit<EndpointsManage>,
    Path(id): Path<Uuid>,
    Json(new): Json<ChangedEndpoint>,
) -> Result<StatusCode> {
    endpoints::change(permit.ctx(), id, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes an endpoint with its log.
#[utoipa::path(delete, path = "/api/v1/webhooks/endpoints/{id}", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn delete_endpoint(permit: Permit<EndpointsManage>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    endpoints::remove(permit.ctx(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an endpoint a new secret, shown this once. The old one signs beside it for a while.
#[utoipa::path(post, path = "/api/v1/webhooks/endpoints/{id}/rotate", tag = "webhooks", request_body = Rotation,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = RotatedSecret), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn rotate_secret(
    permit: Permit<EndpointsManage>,
    Path(id): Path<Uuid>,
    Json(rotation): Json<Rotation>,
) -> Result<Json<RotatedSecret>> {
    Ok(Json(endpoints::rotate(permit.ctx(), id, &rotation).await?))
}

/// Sends an endpoint a message that tells of nothing, of type `webhooks.test`.
#[utoipa::path(post, path = "/api/v1/webhooks/endpoints/{id}/test", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 202, body = TestSent), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn send_test(
    permit: Permit<EndpointsManage>,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, Json<TestSent>)> {
    let sent = resend::test(permit.ctx(), id).await?;
    Ok((StatusCode::ACCEPTED, Json(sent)))
}

/// Sends again what an endpoint has not taken since a moment.
#[utoipa::path(post, path = "/api/v1/webhooks/endpoints/{id}/recover", tag = "webhooks", request_body = Since,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Recovered), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn recover_deliveries(
    permit: Permit<EndpointsManage>,
    Path(id): Path<Uuid>,
    Json(since): Json<Since>,
) -> Result<Json<Recovered>> {
    Ok(Json(resend::recover(permit.ctx(), id, since.since).await?))
}

/// The log of deliveries, youngest first.
#[utoipa::path(get, path = "/api/v1/webhooks/deliveries", tag = "webhooks", params(Wanted),
    responses((status = 200, body = DeliveryPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn list_deliveries(Query(wanted): Query<Wanted>, tx: Tx<EndpointsRead>) -> Result<Json<DeliveryPage>> {
    let page = log::page(&tx, &wanted).await?;
    tx.commit().await?;
    Ok(Json(page))
}

/// A delivery with its message and all calls.
#[utoipa::path(get, path = "/api/v1/webhooks/deliveries/{id}", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = DeliveryDetail), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn show_delivery(Path(id): Path<Uuid>, tx: Tx<EndpointsRead>) -> Result<Json<DeliveryDetail>> {
    let delivery = log::one(&tx, id).await?;
    tx.commit().await?;
    Ok(Json(delivery))
}

/// Sends one delivery again, whatever has become of it: the same message, with the same id.
#[utoipa::path(post, path = "/api/v1/webhooks/deliveries/{id}/resend", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn resend_delivery(permit: Permit<EndpointsManage>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    resend::one(permit.ctx(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
