//! Parts of the organisation that members belong to.

use axum::http::StatusCode;
use tenon_sdk::{
    Result, SystemTx,
    http::{ErrorBody, Json, Path, Permit},
    module::Routes,
};
use utoipa_axum::routes;
use uuid::Uuid;

use super::super::{
    commands::{self, Department, DepartmentName},
    permissions::{DepartmentsUpdate, MembersRead},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(departments, add_department))
        .routes(routes!(rename_department, remove_department))
}

/// The organisation's departments by name.
#[utoipa::path(get, path = "/api/v1/tenancy/departments", tag = "tenancy",
    responses((status = 200, body = Vec<Department>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn departments(permit: Permit<MembersRead>) -> Result<Json<Vec<Department>>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "departments").await?;
    let rows = tx
        .query(
            "select d.id, d.name, \
             (select count(*) from tenancy.memberships m where m.org_id = d.org_id and m.department = d.name) \
             from tenancy.departments d where d.org_id = $1 order by lower(d.name) limit 1000",
            &[&ctx.org_id()],
        )
        .await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            Ok(Department {
                id: row.try_get(0)?,
                name: row.try_get(1)?,
                members: row.try_get(2)?,
            })
        })
        .collect::<Result<_>>()
        .map(Json)
}

/// Adds a department.
#[utoipa::path(post, path = "/api/v1/tenancy/departments", tag = "tenancy", request_body = DepartmentName,
    responses((status = 201, body = Department), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn add_department(
    permit: Permit<DepartmentsUpdate>,
    Json(new): Json<DepartmentName>,
) -> Result<(StatusCode, Json<Department>)> {
    let added = commands::add_department(permit.ctx(), &new).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Gives a department another name; its members go with it.
#[utoipa::path(patch, path = "/api/v1/tenancy/departments/{id}", tag = "tenancy", params(("id" = Uuid, Path)),
    request_body = DepartmentName,
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn rename_department(
    permit: Permit<DepartmentsUpdate>,
    Path(id): Path<Uuid>,
    Json(new): Json<DepartmentName>,
) -> Result<StatusCode> {
    commands::rename_department(permit.ctx(), id, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a department; its members stay, without one.
#[utoipa::path(delete, path = "/api/v1/tenancy/departments/{id}", tag = "tenancy", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn remove_department(permit: Permit<DepartmentsUpdate>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    commands::remove_department(permit.ctx(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
