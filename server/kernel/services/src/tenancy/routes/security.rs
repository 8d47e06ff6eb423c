//! How surely an organisation wants to know who its members are.

use tenon_sdk::{
    Result,
    http::{ErrorBody, Json, Permit},
    module::Routes,
};
use utoipa_axum::routes;

use super::super::{
    commands::{self, SecondFactorRule, SecondFactorWish},
    permissions::SecurityUpdate,
};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(second_factor_rule, require_second_factor))
}

/// Whether members need a second factor, and how many have none.
#[utoipa::path(get, path = "/api/v1/tenancy/second-factor", tag = "tenancy",
    responses((status = 200, body = SecondFactorRule), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn second_factor_rule(permit: Permit<SecurityUpdate>) -> Result<Json<SecondFactorRule>> {
    commands::second_factor_rule(permit.ctx()).await.map(Json)
}

/// Decides whether members need a second factor; from now on, also for those who are signed in.
#[utoipa::path(put, path = "/api/v1/tenancy/second-factor", tag = "tenancy", request_body = SecondFactorWish,
    responses((status = 200, body = SecondFactorRule), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn require_second_factor(
    permit: Permit<SecurityUpdate>,
    Json(wish): Json<SecondFactorWish>,
) -> Result<Json<SecondFactorRule>> {
    commands::require_second_factor(permit.ctx(), &wish)
        .await
        .map(Json)
}
