//! `/api/v1/operator`. Every handler names [`Operator`]: to everybody else there is nothing here.

use axum::{extract::State, http::StatusCode};
use serde::Serialize;
use tenon_sdk::{
    Kernel, Result, SystemTx,
    http::{ErrorBody, Json, Path, Query},
    module::Routes,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{
    Operator, messages,
    organizations::{self, OrganizationChange, OrganizationDetail, OrganizationPage},
    plans::{self, PlanOrder, PlanRow, PlanText},
    programs::{self, MadeProgram, NewProgram, NewSecret, ProgramChange, ProgramPage},
    search::Search,
    users::{self, Ban, UserPage},
    visits::{self, NewVisit, Visit},
};
use crate::notifications::doubt::{MessagePage, MessagesWanted, Resolution};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(who))
        .routes(routes!(list_organizations))
        .routes(routes!(organization, change_organization))
        .routes(routes!(list_plans, create_plan, order_plans))
        .routes(routes!(change_plan, remove_plan))
        .routes(routes!(list_programs, create_program))
        .routes(routes!(change_program, remove_program))
        .routes(routes!(renew_program_secret))
        .routes(routes!(list_messages))
        .routes(routes!(resolve_message))
        .routes(routes!(list_users))
        .routes(routes!(ban_user, unban_user))
        .routes(routes!(enter))
        .routes(routes!(leave))
        .routes(routes!(visits))
}

/// The operator who asks.
#[derive(Debug, Serialize, ToSchema)]
struct Who {
    id: Uuid,
    email: Option<String>,
    name: Option<String>,
}

/// Whether the caller runs the installation; 404 if not.
#[utoipa::path(get, path = "/api/v1/operator/session", tag = "operator",
    responses((status = 200, body = Who), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn who(operator: Operator, State(kernel): State<Kernel>) -> Result<Json<Who>> {
    let tx = SystemTx::begin(kernel.db(), "operator").await?;
    let row = tx
        .query_one(
            "select id, email, raw_user_meta_data ->> 'name' from auth.users where id = $1",
            &[&operator.user],
        )
        .await?;
    tx.commit().await?;
    Ok(Json(Who {
        id: row.try_get(0)?,
        email: row.try_get(1)?,
        name: row.try_get(2)?,
    }))
}

/// Organisations of the installation.
#[utoipa::path(get, path = "/api/v1/operator/organizations", tag = "operator", params(Search),
    responses((status = 200, body = OrganizationPage), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_organizations(
    _: Operator,
    State(kernel): State<Kernel>,
    Query(search): Query<Search>,
) -> Result<Json<OrganizationPage>> {
    organizations::list(&kernel, &search).await.map(Json)
}

/// One organisation: plan, features, members.
#[utoipa::path(get, path = "/api/v1/operator/organizations/{id}", tag = "operator", params(("id" = Uuid, Path)),
    responses((status = 200, body = OrganizationDetail), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn organization(
    _: Operator,
    State(kernel): State<Kernel>,
    Path(id): Path<Uuid>,
) -> Result<Json<OrganizationDetail>> {
    organizations::find(&kernel, id).await.map(Json)
}

/// Changes an organisation's plan or features, or suspends it.
#[utoipa::path(patch, path = "/api/v1/operator/organizations/{id}", tag = "operator", request_body = OrganizationChange,
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn change_organization(
    operator: Operator,
    State(kernel): State<Kernel>,
    Path(id): Path<Uuid>,
    Json(change): Json<OrganizationChange>,
) -> Result<StatusCode> {
    organizations::change(&kernel, &operator, id, &change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The plans that organisations may have.
#[utoipa::path(get, path = "/api/v1/operator/plans", tag = "operator",
    responses((status = 200, body = Vec<PlanRow>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_plans(_: Operator, State(kernel): State<Kernel>) -> Result<Json<Vec<PlanRow>>> {
    plans::list(&kernel).await.map(Json)
}

/// A plan that was made.
#[derive(Debug, Serialize, ToSchema)]
struct MadePlan {
    /// The word for it.
    name: String,
}

/// Makes a plan.
#[utoipa::path(post, path = "/api/v1/operator/plans", tag = "operator", request_body = PlanText,
    responses((status = 201, body = MadePlan), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_plan(
    operator: Operator,
    State(kernel): State<Kernel>,
    Json(text): Json<PlanText>,
) -> Result<(StatusCode, Json<MadePlan>)> {
    let name = plans::create(&kernel, &operator, &text).await?;
    Ok((StatusCode::CREATED, Json(MadePlan { name })))
}

/// Writes a plan anew; organisations that have it are entitled to what it says from now on.
#[utoipa::path(put, path = "/api/v1/operator/plans/{name}", tag = "operator", request_body = PlanText,
    params(("name" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn change_plan(
    operator: Operator,
    State(kernel): State<Kernel>,
    Path(name): Path<String>,
    Json(text): Json<PlanText>,
) -> Result<StatusCode> {
    plans::change(&kernel, &operator, &name, &text).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives the plans another order.
#[utoipa::path(put, path = "/api/v1/operator/plans", tag = "operator", request_body = PlanOrder,
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn order_plans(
    operator: Operator,
    State(kernel): State<Kernel>,
    Json(order): Json<PlanOrder>,
) -> Result<StatusCode> {
    plans::order(&kernel, &operator, &order).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a plan that no organisation has.
#[utoipa::path(delete, path = "/api/v1/operator/plans/{name}", tag = "operator", params(("name" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn remove_plan(
    operator: Operator,
    State(kernel): State<Kernel>,
    Path(name): Path<String>,
) -> Result<StatusCode> {
    plans::remove(&kernel, &operator, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The programs that sign people in here.
#[utoipa::path(get, path = "/api/v1/operator/programs", tag = "operator", params(Search),
    responses((status = 200, body = ProgramPage), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_programs(
    _: Operator,
    State(kernel): State<Kernel>,
    Query(search): Query<Search>,
) -> Result<Json<ProgramPage>> {
    programs::list(&kernel, &search).await.map(Json)
}

/// Registers a program. Its secret is told once, here.
#[utoipa::path(post, path = "/api/v1/operator/programs", tag = "operator", request_body = NewProgram,
    responses((status = 201, body = MadeProgram), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_program(
    operator: Operator,
    State(kernel): State<Kernel>,
    Json(new): Json<NewProgram>,
) -> Result<(StatusCode, Json<MadeProgram>)> {
    let made = programs::create(&kernel, &operator, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Changes what a program is called, where it is, and where people are sent back to it.
#[utoipa::path(patch, path = "/api/v1/operator/programs/{id}", tag = "operator", request_body = ProgramChange,
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn change_program(
    operator: Operator,
    State(kernel): State<Kernel>,
    Path(id): Path<Uuid>,
    Json(change): Json<ProgramChange>,
) -> Result<StatusCode> {
    programs::change(&kernel, &operator, id, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets a program: nobody signs in to it any more, and what it was let do ends.
#[utoipa::path(delete, path = "/api/v1/operator/programs/{id}", tag = "operator", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn remove_program(
    operator: Operator,
    State(kernel): State<Kernel>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    programs::remove(&kernel, &operator, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a program another secret, told once, here; the old one is void at once.
#[utoipa::path(post, path = "/api/v1/operator/programs/{id}/secret", tag = "operator", params(("id" = Uuid, Path)),
    responses((status = 201, body = NewSecret), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn renew_program_secret(
    operator: Operator,
    State(kernel): State<Kernel>,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, Json<NewSecret>)> {
    let secret = programs::renew_secret(&kernel, &operator, id).await?;
    Ok((StatusCode::CREATED, Json(NewSecret { secret })))
}

/// People of the installation.
#[utoipa::path(get, path = "/api/v1/operator/users", tag = "operator", params(Search),
    responses((status = 200, body = UserPage), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_users(
    _: Operator,
    State(kernel): State<Kernel>,
    Query(search): Query<Search>,
) -> Result<Json<UserPage>> {
    users::list(&kernel, &search).await.map(Json)
}

/// Shuts a person out.
#[utoipa::path(put, path = "/api/v1/operator/users/{id}/ban", tag = "operator", request_body = Ban, params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn ban_user(
    operator: Operator,
    State(kernel): State<Kernel>,
    Path(id): Path<Uuid>,
    Json(ban): Json<Ban>,
) -> Result<StatusCode> {
    users::ban(&kernel, &operator, id, &ban).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a person in again.
#[utoipa::path(delete, path = "/api/v1/operator/users/{id}/ban", tag = "operator", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn unban_user(
    operator: Operator,
    State(kernel): State<Kernel>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    users::unban(&kernel, &operator, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A visit that began.
#[derive(Debug, Serialize, ToSchema)]
struct Entered {
    /// Its id.
    id: Uuid,
}

/// Enters an organisation to help, as somebody with the role support. Its owners see it and can end it.
#[utoipa::path(post, path = "/api/v1/operator/organizations/{id}/visits", tag = "operator", request_body = NewVisit,
    params(("id" = Uuid, Path)),
    responses((status = 201, body = Entered), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn enter(
    operator: Operator,
    State(kernel): State<Kernel>,
    Path(id): Path<Uuid>,
    Json(new): Json<NewVisit>,
) -> Result<(StatusCode, Json<Entered>)> {
    let id = visits::enter(&kernel, &operator, id, &new).await?;
    Ok((StatusCode::CREATED, Json(Entered { id })))
}

/// Leaves an organisation.
#[utoipa::path(delete, path = "/api/v1/operator/organizations/{id}/visits/{visit}", tag = "operator",
    params(("id" = Uuid, Path), ("visit" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn leave(
    operator: Operator,
    State(kernel): State<Kernel>,
    Path((id, visit)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode> {
    visits::leave(&kernel, &operator, id, visit).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The operator's own visits that have not ended.
#[utoipa::path(get, path = "/api/v1/operator/visits", tag = "operator",
    responses((status = 200, body = Vec<Visit>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn visits(operator: Operator, State(kernel): State<Kernel>) -> Result<Json<Vec<Visit>>> {
    visits::open(&kernel, &operator).await.map(Json)
}

/// Mails and text messages in a state: those in doubt, unless another is named.
#[utoipa::path(get, path = "/api/v1/operator/messages", tag = "operator", params(MessagesWanted),
    responses((status = 200, body = MessagePage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn list_messages(
    _: Operator,
    State(kernel): State<Kernel>,
    Query(wanted): Query<MessagesWanted>,
) -> Result<Json<MessagePage>> {
    messages::list(&kernel, &wanted).await.map(Json)
}

/// Decides what is to become of a message that may have been sent or not, or sends one again that was given up.
#[utoipa::path(post, path = "/api/v1/operator/messages/{id}/resolve", tag = "operator", request_body = Resolution,
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn resolve_message(
    operator: Operator,
    State(kernel): State<Kernel>,
    Path(id): Path<Uuid>,
    Json(resolution): Json<Resolution>,
) -> Result<StatusCode> {
    messages::resolve(&kernel, &operator, id, resolution.decision).await?;
    Ok(StatusCode::NO_CONTENT)
}
