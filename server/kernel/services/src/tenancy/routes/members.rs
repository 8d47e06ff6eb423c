//! Who belongs to the organisation.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenon_sdk::{
    Result, SystemTx, UserId,
    http::{ErrorBody, Json, Path, Permit, Query},
    module::Routes,
    permission::Role,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

use super::{
    super::{
        commands::{self, MemberChanges},
        permissions::{MembersRead, MembersRemove, MembersSuspend, MembersUpdate},
    },
    parse_role,
};

/// Most members of one answer.
const MOST: i64 = 200;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(members))
        .routes(routes!(change_member, remove_member))
        .routes(routes!(suspend_member))
        .routes(routes!(reinstate_member))
}

/// A member of the organisation.
#[derive(Debug, Serialize, ToSchema)]
struct Member {
    user_id: Uuid,
    email: Option<String>,
    name: Option<String>,
    /// The built-in role.
    role: Role,
    /// The name of the role of the organisation's own, if they have one.
    custom_role: Option<String>,
    /// Whether that one counts alone.
    custom_only: bool,
    department: Option<String>,
    joined_at: Timestamp,
    /// Since when they are not let in, if so.
    suspended_at: Option<Timestamp>,
}

/// Some of the members, and how many there are in all.
#[derive(Debug, Serialize, ToSchema)]
struct MemberList {
    members: Vec<Member>,
    /// How many match, on all pages.
    total: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Part of a name or address, in any case.
    search: Option<String>,
    role: Option<Role>,
    department: Option<String>,
    /// At most 200; 50 if absent.
    limit: Option<i64>,
    offset: Option<i64>,
}

const LIST: &str = "with found as ( \
        select u.id, u.email::text as email, u.raw_user_meta_data ->> 'name' as name, m.role, m.department, m.created_at, m.suspended_at, \
            c.name as custom_role, m.custom_only \
        from tenancy.memberships m join auth.users u on u.id = m.user_id \
        left join tenancy.roles c on c.org_id = m.org_id and c.id = m.custom_role \
        where m.org_id = $1 and ($3::text is null or m.role = $3) and ($4::text is null or m.department = $4)), \
    matched as (select * from found where strpos(lower(coalesce(name, '') || ' ' || coalesce(email, '')), lower($2)) > 0) \
    select id, email, name, role, department, created_at, suspended_at, (select count(*) from matched), custom_role, custom_only \
    from matched order by created_at, id limit $5 offset $6";

/// Who belongs to the organisation, oldest membership first.
#[utoipa::path(get, path = "/api/v1/tenancy/members", tag = "tenancy", params(Wanted),
    responses((status = 200, body = MemberList), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn members(permit: Permit<MembersRead>, Query(wanted): Query<Wanted>) -> Result<Json<MemberList>> {
    let ctx = permit.ctx();
    let limit = wanted.limit.unwrap_or(50).clamp(1, MOST);
    let offset = wanted.offset.unwrap_or(0).max(0);
    let search = wanted.search.as_deref().unwrap_or_default().trim();
    let role = wanted.role.map(Role::as_str);
    let tx = SystemTx::begin(ctx.kernel().db(), "members").await?;
    let rows = tx
        .query(
            LIST,
            &[&ctx.org_id(), &search, &role, &wanted.department, &limit, &offset],
        )
        .await?;
    // A page beyond the last has no row to say how many there are.
    let total = match rows.first() {
        Some(row) => row.try_get(7)?,
        None if offset == 0 => 0,
        None => tx
            .query_opt(
                LIST,
                &[&ctx.org_id(), &search, &role, &wanted.department, &1_i64, &0_i64],
            )
            .await?
            .map_or(Ok(0), |row| row.try_get(7))?,
    };
    tx.commit().await?;
    let members = rows
        .iter()
        .map(|row| {
            let role: String = row.try_get(3)?;
            Ok(Member {
                user_id: row.try_get(0)?,
                email: row.try_get(1)?,
                name: row.try_get(2)?,
                role: parse_role(&role)?,
                department: row.try_get(4)?,
                joined_at: row.try_get(5)?,
                suspended_at: row.try_get(6)?,
                custom_role: row.try_get(8)?,
                custom_only: row.try_get(9)?,
            })
        })
        .collect::<Result<_>>()?;
    Ok(Json(MemberList { members, total }))
}

/// Changes a member's role or department. Nobody gives a role above their own or changes somebody above themselves; the last owner
/// stays one.
#[utoipa::path(patch, path = "/api/v1/tenancy/members/{user_id}", tag = "tenancy", params(("user_id" = Uuid, Path)),
    request_body = MemberChanges,
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn change_member(
    permit: Permit<MembersUpdate>,
    Path(user): Path<Uuid>,
    Json(changes): Json<MemberChanges>,
) -> Result<StatusCode> {
    commands::change_member(permit.ctx(), UserId(user), &changes).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a member, who is out at once.
#[utoipa::path(delete, path = "/api/v1/tenancy/members/{user_id}", tag = "tenancy", params(("user_id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn remove_member(permit: Permit<MembersRemove>, Path(user): Path<Uuid>) -> Result<StatusCode> {
    commands::remove_member(permit.ctx(), UserId(user)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Suspends a member, who is out at once and keeps role and department for later.
#[utoipa::path(post, path = "/api/v1/tenancy/members/{user_id}/suspend", tag = "tenancy", params(("user_id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn suspend_member(permit: Permit<MembersSuspend>, Path(user): Path<Uuid>) -> Result<StatusCode> {
    commands::suspend_member(permit.ctx(), UserId(user)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a suspended member in again.
#[utoipa::path(post, path = "/api/v1/tenancy/members/{user_id}/reinstate", tag = "tenancy", params(("user_id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn reinstate_member(permit: Permit<MembersSuspend>, Path(user): Path<Uuid>) -> Result<StatusCode> {
    commands::reinstate_member(permit.ctx(), UserId(user)).await?;
    Ok(StatusCode::NO_CONTENT)
}
