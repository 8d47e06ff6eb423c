//! `/api/v1/tenancy`.

mod departments;
mod invitations;
mod members;
mod organization;
mod security;

use axum::{extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use tenon_sdk::{
    Error, Kernel, Result, SystemTx,
    http::{Caller, ErrorBody, Json, Permit},
    module::Routes,
    permission::Role,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{
    commands::{self, NewOrganization, Organization},
    permissions::OrganizationRead,
};
use crate::identity::require_session;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_organizations, create_organization))
        .routes(routes!(session))
        .merge(organization::routes())
        .merge(members::routes())
        .merge(invitations::routes())
        .merge(departments::routes())
        .merge(security::routes())
}

/// The organisations that let the caller in, oldest membership first.
#[utoipa::path(get, path = "/api/v1/tenancy/organizations", tag = "tenancy",
    responses((status = 200, body = Vec<Organization>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn list_organizations(caller: Caller, State(kernel): State<Kernel>) -> Result<Json<Vec<Organization>>> {
    let tx = SystemTx::begin(kernel.db(), "own organisations").await?;
    let rows = tx
        .query(
            // Those that an operator of the installation is in to help come last.
            "select o.id, o.slug, o.name, m.role, o.logo_tag, m.custom_role, \
             array(select f.slug from tenancy.former_slugs f where f.org_id = o.id order by f.given_up_at desc) \
             from (select m.org_id, m.role, m.created_at, false as visit, case when m.custom_only then c.name end as custom_role \
             from tenancy.memberships m left join tenancy.roles c on c.org_id = m.org_id and c.id = m.custom_role \
             where m.user_id = $1 and m.suspended_at is null \
             union all select s.org_id, 'support', min(s.started_at), true, null from tenancy.support_access s \
             join auth.users u on u.id = s.operator and u.is_super_admin where s.operator = $1 and s.ended_at is null \
             and s.ends_at > now() and not exists (select from tenancy.memberships x where x.org_id = s.org_id \
             and x.user_id = $1 and x.suspended_at is null) group by s.org_id) m \
             join tenancy.organizations o on o.id = m.org_id \
             where o.delete_after is null or o.delete_after > now() order by m.visit, m.created_at, o.id",
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
                logo: row.try_get(4)?,
                custom_role: row.try_get(5)?,
                former_slugs: row.try_get(6)?,
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
    responses((status = 201, body = Organization), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn create_organization(
    caller: Caller,
    State(kernel): State<Kernel>,
    Json(new): Json<NewOrganization>,
) -> Result<(StatusCode, Json<Organization>)> {
    require_session(&kernel, &caller).await?;
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
    /// The built-in role; `support` for an operator of the installation who is in to help.
    role: Role,
    /// Roles of the organisation's own and visits: what else says who the caller is here.
    standing: SessionStanding,
    /// Ids of the spaces the caller is in.
    spaces: Vec<Uuid>,
    /// Names of all permissions the caller has.
    permissions: Vec<String>,
    /// The apps of the organisation that are switched on.
    apps: Vec<String>,
}

/// How the caller comes to be in the organisation.
#[derive(Debug, Serialize, ToSchema)]
struct SessionStanding {
    /// Whether they are a member.
    member: bool,
    /// The name of the role of the organisation's own, if they have one.
    custom_role: Option<String>,
    /// Whether that one counts alone.
    custom_only: bool,
    /// Whether they run this installation.
    operator: bool,
    /// The visit that lets them in, if they are no member.
    visit: Option<SessionVisit>,
}

/// An operator's visit.
#[derive(Debug, Serialize, ToSchema)]
struct SessionVisit {
    id: Uuid,
    /// When it ends by itself.
    ends_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
struct OrganizationRef {
    id: Uuid,
    slug: String,
    name: String,
    /// Its colour as `#rrggbb`, if it has one of its own.
    theme_color: Option<String>,
    /// The tag of its logo, if it has one.
    logo: Option<String>,
    /// A name of the IANA database.
    time_zone: String,
    language: String,
    /// The page that members see first, below the organisation's address.
    home: Option<String>,
    /// When it will be deleted, if an owner wants that.
    delete_after: Option<Timestamp>,
}

/// The caller in the organisation asked for: role, permissions, apps.
#[utoipa::path(get, path = "/api/v1/tenancy/session", tag = "tenancy",
    responses((status = 200, body = Session), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn session(permit: Permit<OrganizationRead>) -> Result<Json<Session>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "own session").await?;
    let row = tx
        .query_opt(
            "select u.id, coalesce(u.email, ''), u.raw_user_meta_data ->> 'name', o.id, o.slug, o.name, \
             o.theme_color, o.logo_tag, o.time_zone, o.language, o.home, o.delete_after, o.disabled_apps, \
             m.user_id is not null, c.name, coalesce(m.custom_only, false), u.is_super_admin, s.id, s.ends_at, \
             coalesce(string_to_array(nullif(trim(both ',' from m.spaces), ''), ','), '{}')::uuid[] \
             from auth.users u cross join tenancy.organizations o \
             left join tenancy.memberships m on m.org_id = o.id and m.user_id = u.id and m.suspended_at is null \
             left join tenancy.roles c on c.org_id = o.id and c.id = m.custom_role \
             left join lateral (select s.id, s.ends_at from tenancy.support_access s \
             where m.user_id is null and s.org_id = o.id and s.operator = u.id and s.ended_at is null and s.ends_at > $3 \
             order by s.ends_at desc limit 1) s on true \
             where o.id = $1 and u.id = $2",
            &[&ctx.org_id(), &ctx.user_id(), &ctx.kernel().env().now()],
        )
        .await?
        .ok_or_else(|| Error::forbidden("tenancy.member_needed", "A key of a program has no session."))?;
    tx.commit().await?;
    let role = ctx.resolved().and_then(|resolved| resolved.role.clone());
    let disabled: Vec<String> = row.try_get(12)?;
    // What belongs to an app that is off is no permission of anybody.
    let is_off = |name: &str| disabled.iter().any(|app| name.split('.').next() == Some(app));
    let permissions = ctx.resolved().map(|resolved| {
        let names = resolved.permissions().filter(|name| !is_off(name));
        names.map(str::to_owned).collect()
    });
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
            theme_color: row.try_get(6)?,
            logo: row.try_get(7)?,
            time_zone: row.try_get(8)?,
            language: row.try_get(9)?,
            home: row.try_get(10)?,
            delete_after: row.try_get(11)?,
        },
        role: parse_role(role.as_deref().unwrap_or_default())?,
        standing: SessionStanding {
            member: row.try_get(13)?,
            custom_role: row.try_get(14)?,
            custom_only: row.try_get(15)?,
            operator: row.try_get::<_, Option<bool>>(16)?.unwrap_or_default(),
            visit: match row.try_get(17)? {
                Some(id) => Some(SessionVisit {
                    id,
                    ends_at: row.try_get(18)?,
                }),
                None => None,
            },
        },
        spaces: row.try_get(19)?,
        permissions: permissions.unwrap_or_default(),
        apps: ctx
            .kernel()
            .modules()
            .iter()
            .filter(|module| module.is_app && !disabled.iter().any(|name| name == module.name))
            .map(|module| module.name.to_owned())
            .collect(),
    }))
}
