//! The report on who can do what.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use tenon_sdk::{
    Result,
    http::{ErrorBody, Json, Permit, Query},
    module::Routes,
};
use utoipa_axum::routes;

use super::super::{
    permissions::ReviewRead,
    review::{self, Filter, Review},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(access_review))
        .routes(routes!(access_review_table))
}

/// Who can do what in the organisation, and why.
#[utoipa::path(get, path = "/api/v1/access/review", tag = "access", params(Filter),
    responses((status = 200, body = Review), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn access_review(permit: Permit<ReviewRead>, Query(filter): Query<Filter>) -> Result<Json<Review>> {
    review::page(permit.ctx(), &filter).await.map(Json)
}

/// The same as a table (CSV) with a line for each principal and permission; pages do not count.
#[utoipa::path(get, path = "/api/v1/access/review.csv", tag = "access", params(Filter),
    responses((status = 200, content_type = "text/csv", body = String), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn access_review_table(permit: Permit<ReviewRead>, Query(filter): Query<Filter>) -> Result<Response> {
    let table = review::table(permit.ctx(), filter).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"access-review.csv\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, table).into_response())
}
