//! Roles of the organisation's own, and who has them.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenon_sdk::{
    Error, Result, SystemTx,
    http::{ErrorBody, Json, Path, Permit},
    module::Routes,
    permission::Role,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{
    super::{
        commands::{self, AssignedRole, RoleText},
        model,
        permissions::{RolesManage, RolesRead},
    },
    Made,
};
use crate::tenancy::MembersRead;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_roles, create_role))
        .routes(routes!(preview_role))
        .routes(routes!(update_role, remove_role))
        .routes(routes!(role_members))
        .routes(routes!(assign_role))
}

/// A permission as people read it.
#[derive(Debug, Serialize, ToSchema)]
struct PermissionInfo {
    /// `app.thing.verb`.
    name: &'static str,
    /// The title of the module that declares it.
    module: &'static str,
    /// What it allows.
    description: &'static str,
    /// The weakest built-in role that has it.
    from: Role,
    /// Whether the caller has it.
    own: bool,
}

/// A role of the organisation's own.
#[derive(Debug, Serialize, ToSchema)]
struct CustomRole {
    id: Uuid,
    /// Its name as a word.
    key: String,
    name: String,
    description: String,
    includes: Vec<String>,
    excludes: Vec<String>,
    /// What it grants, those of disabled apps, too.
    permissions: Vec<String>,
    /// How many members have it.
    members: i64,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// All roles, and the permissions that they are made of.
#[derive(Debug, Serialize, ToSchema)]
struct Roles {
    /// All permissions of the installation, by name.
    permissions: Vec<PermissionInfo>,
    /// Roles of the organisation's own, by name.
    custom: Vec<CustomRole>,
}

/// The roles of the organisation and what they allow.
#[utoipa::path(get, path = "/api/v1/access/roles", tag = "access",
    responses((status = 200, body = Roles), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list_roles(permit: Permit<RolesRead>) -> Result<Json<Roles>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "roles").await?;
    let rows = tx
        .query(
            "select r.id, r.key, r.name, r.description, r.includes, r.excludes, r.granted, r.updated_at, \
             (select count(*) from tenancy.memberships m where m.org_id = r.org_id and m.custom_role = r.id) \
             from tenancy.roles r where r.org_id = $1 order by lower(r.name), r.id",
            &[&ctx.org_id()],
        )
        .await?;
    tx.commit().await?;
    let mut permissions = Vec::new();
    for module in ctx.kernel().modules() {
        permissions.extend(module.permissions.iter().map(|def| PermissionInfo {
            name: def.name,
            module: module.title,
            description: def.description,
            from: def.from,
            own: ctx.resolved().is_some_and(|resolved| resolved.has(def.name)),
        }));
    }
    permissions.sort_unstable_by_key(|permission| permission.name);
    let custom = rows
        .iter()
        .map(|row| {
            let granted: String = row.try_get(6)?;
            Ok(CustomRole {
                id: row.try_get(0)?,
                key: row.try_get(1)?,
                name: row.try_get(2)?,
                description: row.try_get(3)?,
                includes: row.try_get(4)?,
                excludes: row.try_get(5)?,
                permissions: model::split(&granted).map(str::to_owned).collect(),
                members: row.try_get(8)?,
                updated_at: row.try_get(7)?,
            })
        })
        .collect::<Result<_>>()?;
    Ok(Json(Roles { permissions, custom }))
}

/// Makes a role of the organisation's own; it grants nothing that its maker does not have.
#[utoipa::path(post, path = "/api/v1/access/roles", tag = "access", request_body = RoleText,
    responses((status = 201, body = Made), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_role(
    permit: Permit<RolesManage>,
    Json(text): Json<RoleText>,
) -> Result<(StatusCode, Json<Made>)> {
    let id = commands::create_role(permit.ctx(), &text).await?;
    Ok((StatusCode::CREATED, Json(Made { id })))
}

/// Patterns to be tried.
#[derive(Debug, Deserialize, ToSchema)]
struct Patterns {
    #[serde(default)]
    includes: Vec<String>,
    #[serde(default)]
    excludes: Vec<String>,
}

/// What patterns would grant.
#[derive(Debug, Serialize, ToSchema)]
struct Preview {
    /// Names of permissions.
    granted: Vec<&'static str>,
    /// Those of them that the caller does not have, and so cannot give.
    beyond: Vec<&'static str>,
    /// Patterns that name nothing.
    unknown: Vec<String>,
}

/// What patterns would grant, before a role is made of them. Changes nothing.
#[utoipa::path(post, path = "/api/v1/access/roles/preview", tag = "access", request_body = Patterns,
    responses((status = 200, body = Preview), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn preview_role(permit: Permit<RolesRead>, Json(asked): Json<Patterns>) -> Result<Json<Preview>> {
    let ctx = permit.ctx();
    let Patterns { includes, excludes } = asked;
    if includes.len() > 200 || excludes.len() > 200 {
        return Err(Error::unprocessable(
            "access.pattern_invalid",
            "Name at most 200 permissions or patterns.",
        ));
    }
    let all = || commands::all(ctx.kernel()).map(|def| def.name);
    let known = |pattern: &String| {
        model::is_pattern(pattern) && all().any(|permission| model::names(pattern, permission))
    };
    let granted = model::expand(&includes, &excludes, all());
    let tx = SystemTx::begin(ctx.kernel().db(), "preview of a role").await?;
    let rights = ctx.resolve_again(&tx).await?;
    tx.commit().await?;
    let beyond = commands::beyond(&rights.granted, granted.iter().copied());
    let unknown = includes
        .into_iter()
        .chain(excludes)
        .filter(|pattern| !known(pattern));
    Ok(Json(Preview {
        granted: granted.into_iter().collect(),
        beyond,
        unknown: unknown.collect(),
    }))
}

/// Writes a role anew, as a whole.
#[utoipa::path(put, path = "/api/v1/access/roles/{id}", tag = "access", request_body = RoleText, params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn update_role(
    permit: Permit<RolesManage>,
    Path(id): Path<Uuid>,
    Json(text): Json<RoleText>,
) -> Result<StatusCode> {
    commands::update_role(permit.ctx(), id, &text).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a role that nobody has.
#[utoipa::path(delete, path = "/api/v1/access/roles/{id}", tag = "access", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn remove_role(permit: Permit<RolesManage>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    commands::remove_role(permit.ctx(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A member and their roles.
#[derive(Debug, Serialize, ToSchema)]
struct RoleMember {
    id: Uuid,
    name: String,
    email: Option<String>,
    department: Option<String>,
    /// The built-in role.
    role: Role,
    /// A role of the organisation's own.
    custom_role: Option<Uuid>,
    /// Whether that one counts alone.
    custom_only: bool,
}

/// Members with their built-in and own roles, at most 10,000. It takes the permission to see members, too.
#[utoipa::path(get, path = "/api/v1/access/members", tag = "access",
    responses((status = 200, body = Vec<RoleMember>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn role_members(permit: Permit<RolesRead>, _: Permit<MembersRead>) -> Result<Json<Vec<RoleMember>>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "members and roles").await?;
    let rows = tx
        .query(
            "select u.id, coalesce(u.raw_user_meta_data ->> 'name', u.email, ''), u.email, m.department, m.role, \
             m.custom_role, m.custom_only from tenancy.memberships m join auth.users u on u.id = m.user_id \
             where m.org_id = $1 order by 2, u.id limit 10000",
            &[&ctx.org_id()],
        )
        .await?;
    tx.commit().await?;
    let members = rows.iter().map(|row| {
        let role: String = row.try_get(4)?;
        Ok(RoleMember {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            email: row.try_get(2)?,
            department: row.try_get(3)?,
            role: Role::parse(&role).ok_or_else(|| Error::internal("unknown role of member"))?,
            custom_role: row.try_get(5)?,
            custom_only: row.try_get(6)?,
        })
    });
    members.collect::<Result<_>>().map(Json)
}

/// Gives a member a role of the organisation's own, or takes it away.
#[utoipa::path(put, path = "/api/v1/access/members/{id}/role", tag = "access", request_body = AssignedRole,
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn assign_role(
    permit: Permit<RolesManage>,
    Path(id): Path<Uuid>,
    Json(assigned): Json<AssignedRole>,
) -> Result<StatusCode> {
    commands::assign_role(permit.ctx(), id, &assigned).await?;
    Ok(StatusCode::NO_CONTENT)
}
