//! Visits of those who run the installation.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use tenon_sdk::{
    Result, SystemTx,
    http::{ErrorBody, Json, Path, Permit},
    module::Routes,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use super::super::{
    commands,
    permissions::{SupportEnd, SupportRead},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_support))
        .routes(routes!(end_support))
}

/// A time at which an operator of the installation was in the organisation to help.
#[derive(Debug, Serialize, ToSchema)]
struct SupportVisit {
    id: Uuid,
    /// The operator's name or address.
    operator: String,
    /// Why.
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it ends or ended by itself.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// When it was ended before.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Whether the operator is in now.
    active: bool,
}

/// When operators of the installation were in the organisation, newest first, at most 200.
#[utoipa::path(get, path = "/api/v1/access/support", tag = "access",
    responses((status = 200, body = Vec<SupportVisit>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_support(permit: Permit<SupportRead>) -> Result<Json<Vec<SupportVisit>>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "visits of support").await?;
    let rows = tx
        .query(
            "select s.id, coalesce(u.raw_user_meta_data ->> 'name', u.email, s.operator_name), s.reason, s.started_at, s.ends_at, s.ended_at, \
             s.ended_at is null and s.ends_at > $2 from tenancy.support_access s left join auth.users u on u.id = s.operator \
             where s.org_id = $1 order by s.started_at desc, s.id limit 200",
            &[&ctx.org_id(), &ctx.kernel().env().now()],
        )
        .await?;
    tx.commit().await?;
    let visits = rows.iter().map(|row| {
        Ok(SupportVisit {
            id: row.try_get(0)?,
            operator: row.try_get(1)?,
            reason: row.try_get(2)?,
            started_at: row.try_get(3)?,
            ends_at: row.try_get(4)?,
            ended_at: row.try_get(5)?,
            active: row.try_get(6)?,
        })
    });
    visits.collect::<Result<_>>().map(Json)
}

/// Sends an operator of the installation away, at once.
#[utoipa::path(delete, path = "/api/v1/access/support/{id}", tag = "access", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn end_support(permit: Permit<SupportEnd>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    let ctx = permit.ctx();
    commands::end_support(ctx.kernel(), ctx.org_id(), id, ctx.user_id(), None).await?;
    Ok(StatusCode::NO_CONTENT)
}
