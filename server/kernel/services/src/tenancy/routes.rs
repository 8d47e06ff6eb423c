//! `/api/v1/tenancy`.

use axum::{extract::State, http::StatusCode};
use serde::Serialize;
use tenon_sdk::{
    Error, Kernel, Result, SystemTx,
    http::{Caller, ErrorBody, Json, Path, Permit},
    module::Routes,
    permission::Role,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{
    commands::{self, Invited, NewInvitation, NewOrganization, Organization},
    permissions::{MembersInvite, MembersRead, OrganizationRead},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_organizations, create_organization))
        .routes(routes!(session))
        .routes(routes!(members))
        .routes(routes!(invite))
        .routes(routes!(look_at_invitation))
        .routes(routes!(accept_invitation))
}

/// The organisations of the caller, oldest membership first.
#[utoipa::path(get, path = "/api/v1/tenancy/organizations", tag = "tenancy",
    responses((status = 200, body = Vec<Organization>), (status = 401, body = ErrorBody)))]
async fn list_organizations(caller: Caller, State(kernel): State<Kernel>) -> Result<Json<Vec<Organization>>> {
    let tx = SystemTx::begin(kernel.db(), "own organisations").await?;
    let rows = tx
        .query(
            "select o.id, o.slug, o.name, m.role from tenancy.memberships m \
             join tenancy.organizations o on o.id = m.org_id where m.user_id = $1 order by m.created_at, o.id",
            &[&caller.user],
        )
        .await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            let role: String = row.try_get(3)?;
            Ok(Organization {
                id: row.try_get(0)?,
                slug: row.try_get(1)?,
                name: row.try_get(2)?,
                role: parse_role(&role)?,
            })
        })
        .collect::<Result<_>>()
        .map(Json)
}

fn parse_role(role: &str) -> Result<Role> {
    Role::parse(role).ok_or_else(|| Error::internal(format!("unknown role {role}")))
}

/// Founds an organisation; the caller becomes its owner.
#[utoipa::path(post, path = "/api/v1/tenancy/organizations", tag = "tenancy", request_body = NewOrganization,
    responses((status = 201, body = Organization), (status = 401, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn create_organization(
    caller: Caller,
    State(kernel): State<Kernel>,
    Json(new): Json<NewOrganization>,
) -> Result<(StatusCode, Json<Organization>)> {
    let made = commands::create_organization(&kernel, caller.user, &new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// A person, as colleagues see them.
#[derive(Debug, Serialize, ToSchema)]
struct Person {
    id: Uuid,
    email: String,
    name: Option<String>,
}

/// Where the caller is and what they may do there.
#[derive(Debug, Serialize, ToSchema)]
struct Session {
    user: Person,
    organization: OrganizationRef,
    role: Role,
    /// Names of all permissions the caller has.
    permissions: Vec<String>,
    /// The apps of the organisation.
    apps: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct OrganizationRef {
    id: Uuid,
    slug: String,
    name: String,
}

/// The caller in the organisation asked for: role, permissions, apps.
#[utoipa::path(get, path = "/api/v1/tenancy/session", tag = "tenancy",
    responses((status = 200, body = Session), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn session(permit: Permit<OrganizationRead>) -> Result<Json<Session>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "own session").await?;
    let row = tx
        .query_one(
            "select u.id, u.email, u.raw_user_meta_data ->> 'name', o.id, o.slug, o.name, m.role \
             from tenancy.memberships m join auth.users u on u.id = m.user_id \
             join tenancy.organizations o on o.id = m.org_id where m.org_id = $1 and m.user_id = $2",
            &[&ctx.org_id(), &ctx.user_id()],
        )
        .await?;
    tx.commit().await?;
    let role: String = row.try_get(6)?;
    let permissions = ctx
        .resolved()
        .map(|resolved| resolved.permissions().map(str::to_owned).collect());
    Ok(Json(Session {
        user: Person {
            id: row.try_get(0)?,
            email: row.try_get(1)?,
            name: row.try_get(2)?,
        },
        organization: OrganizationRef {
            id: row.try_get(3)?,
            slug: row.try_get(4)?,
            name: row.try_get(5)?,
        },
        role: parse_role(&role)?,
        permissions: permissions.unwrap_or_default(),
        apps: ctx
            .kernel()
            .modules()
            .iter()
            .filter(|m| m.is_app)
            .map(|m| m.name.to_owned())
            .collect(),
    }))
}

/// A member of the organisation.
#[derive(Debug, Serialize, ToSchema)]
struct Member {
    user_id: Uuid,
    email: String,
    name: Option<String>,
    role: Role,
    joined_at: jiff::Timestamp,
}

/// Who belongs to the organisation.
#[utoipa::path(get, path = "/api/v1/tenancy/members", tag = "tenancy",
    responses((status = 200, body = Vec<Member>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn members(permit: Permit<MembersRead>) -> Result<Json<Vec<Member>>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "members").await?;
    let rows = tx
        .query(
            "select u.id, u.email, u.raw_user_meta_data ->> 'name', m.role, m.created_at \
             from tenancy.memberships m join auth.users u on u.id = m.user_id \
             where m.org_id = $1 order by m.created_at, u.id limit 1000",
            &[&ctx.org_id()],
        )
        .await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            let role: String = row.try_get(3)?;
            Ok(Member {
                user_id: row.try_get(0)?,
                email: row.try_get(1)?,
                name: row.try_get(2)?,
                role: parse_role(&role)?,
                joined_at: row.try_get(4)?,
            })
        })
        .collect::<Result<_>>()
        .map(Json)
}

/// Makes a link that lets one person in.
#[utoipa::path(post, path = "/api/v1/tenancy/invitations", tag = "tenancy", request_body = NewInvitation,
    responses((status = 201, body = commands::Invitation), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn invite(
    permit: Permit<MembersInvite>,
    Json(new): Json<NewInvitation>,
) -> Result<(StatusCode, Json<commands::Invitation>)> {
    Ok((
        StatusCode::CREATED,
        Json(commands::invite(permit.ctx(), &new).await?),
    ))
}

/// What an invitation says. Whoever holds the link may look.
#[utoipa::path(get, path = "/api/v1/tenancy/invitations/{token}", tag = "tenancy",
    params(("token" = String, Path)), security(()),
    responses((status = 200, body = Invited), (status = 404, body = ErrorBody)))]
async fn look_at_invitation(
    State(kernel): State<Kernel>,
    Path(token): Path<String>,
) -> Result<Json<Invited>> {
    commands::find_invitation(&kernel, &token).await.map(Json)
}

/// Takes up an invitation.
#[utoipa::path(post, path = "/api/v1/tenancy/invitations/{token}/accept", tag = "tenancy",
    params(("token" = String, Path)),
    responses((status = 200, body = Organization), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn accept_invitation(
    caller: Caller,
    State(kernel): State<Kernel>,
    Path(token): Path<String>,
) -> Result<Json<Organization>> {
    commands::accept_invitation(&kernel, caller.user, &token)
        .await
        .map(Json)
}
