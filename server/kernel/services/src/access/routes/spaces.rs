//! Spaces and who is in them.

use axum::http::StatusCode;
use serde::Deserialize;
use tenon_sdk::{
    Result,
    http::{ErrorBody, Json, Path, Permit, Tx},
    module::Routes,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{
    super::{
        permissions::{SpacesManage, SpacesRead},
        spaces::{self, Space, SpaceMembers, SpaceText},
    },
    Made,
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_spaces, create_space))
        .routes(routes!(rename_space))
        .routes(routes!(archive_space))
        .routes(routes!(set_space_members))
}

/// All spaces of the organisation, and whether the caller is in them.
#[utoipa::path(get, path = "/api/v1/access/spaces", tag = "access",
    responses((status = 200, body = Vec<Space>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_spaces(tx: Tx<SpacesRead>) -> Result<Json<Vec<Space>>> {
    let spaces = spaces::list(&tx).await?;
    tx.commit().await?;
    Ok(Json(spaces))
}

/// Makes a space.
#[utoipa::path(post, path = "/api/v1/access/spaces", tag = "access", request_body = SpaceText,
    responses((status = 201, body = Made), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_space(
    permit: Permit<SpacesManage>,
    Json(text): Json<SpaceText>,
) -> Result<(StatusCode, Json<Made>)> {
    let tx = permit.begin().await?;
    let id = spaces::create(&tx, &text).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(Made { id })))
}

/// Gives a space another name and description.
#[utoipa::path(put, path = "/api/v1/access/spaces/{id}", tag = "access", request_body = SpaceText, params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn rename_space(
    permit: Permit<SpacesManage>,
    Path(id): Path<Uuid>,
    Json(text): Json<SpaceText>,
) -> Result<StatusCode> {
    let tx = permit.begin().await?;
    spaces::rename(&tx, id, &text).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a space is put away.
#[derive(Debug, Deserialize, ToSchema)]
struct Archived {
    archived: bool,
}

/// Puts a space away, or takes it out again.
#[utoipa::path(put, path = "/api/v1/access/spaces/{id}/archived", tag = "access", request_body = Archived,
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn archive_space(
    permit: Permit<SpacesManage>,
    Path(id): Path<Uuid>,
    Json(wanted): Json<Archived>,
) -> Result<StatusCode> {
    let tx = permit.begin().await?;
    spaces::archive(&tx, id, wanted.archived).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says who is in a space.
#[utoipa::path(put, path = "/api/v1/access/spaces/{id}/members", tag = "access", request_body = SpaceMembers,
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn set_space_members(
    permit: Permit<SpacesManage>,
    Path(id): Path<Uuid>,
    Json(members): Json<SpaceMembers>,
) -> Result<StatusCode> {
    spaces::set_members(permit.ctx(), id, &members).await?;
    Ok(StatusCode::NO_CONTENT)
}
