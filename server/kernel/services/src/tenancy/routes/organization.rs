//! The organisation itself: its settings, its logo, its data, its owner, its end.

use axum::{
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Serialize;
use tenon_sdk::{
    Error, Result, SystemTx,
    http::{ErrorBody, Json, Permit},
    module::Routes,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use super::super::{
    commands::{self, DeletionWish, DisabledApps, NewOwner, OrganizationChanges},
    logo,
    permissions::{
        AppsUpdate, OrganizationDelete, OrganizationExport, OrganizationRead, OrganizationTransfer,
        OrganizationUpdate,
    },
    plans::{self, Entitlements, Plan},
};

pub(super) fn routes() -> Routes {
    let upload = Routes::new()
        .routes(routes!(show_logo, put_logo, remove_logo))
        .layer(DefaultBodyLimit::max(logo::MOST_BYTES + 1));
    upload
        .merge(Routes::new().routes(routes!(organization, change_organization)))
        .routes(routes!(set_apps))
        .routes(routes!(export_organization))
        .routes(routes!(transfer_ownership))
        .routes(routes!(leave_organization))
        .routes(routes!(request_deletion, cancel_deletion))
}

/// The settings of an organisation.
#[derive(Debug, Serialize, ToSchema)]
struct OrganizationSettings {
    id: Uuid,
    /// Its name in addresses.
    slug: String,
    /// Its name.
    name: String,
    /// Names in addresses that it had before; links with them still lead here.
    former_slugs: Vec<String>,
    /// Its colour as `#rrggbb`, if it has one of its own.
    theme_color: Option<String>,
    /// The tag of its logo, if it has one.
    logo: Option<String>,
    /// A name of the IANA database.
    time_zone: String,
    /// `en` or `de`.
    language: String,
    /// The page that members see first, below the organisation's address.
    home: Option<String>,
    /// All apps of this installation.
    apps: Vec<AppState>,
    /// What its plan allows.
    plan: Entitlements,
    /// What of that is used.
    usage: PlanUsage,
    /// When it will be deleted, if an owner wants that.
    delete_after: Option<Timestamp>,
    created_at: Timestamp,
}

/// An app, and whether the organisation has it switched on.
#[derive(Debug, Serialize, ToSchema)]
struct AppState {
    /// Its name in addresses and permissions.
    name: &'static str,
    /// Its name for people.
    title: &'static str,
    enabled: bool,
}

/// What is counted against a plan.
#[derive(Debug, Serialize, ToSchema)]
struct PlanUsage {
    /// Members who are let in.
    members: i64,
    /// Invitations that were neither accepted nor withdrawn and are still good.
    open_invitations: i64,
    departments: i64,
}

fn settings() -> String {
    format!(
        "select o.id, o.slug, o.name, \
    array(select f.slug from tenancy.former_slugs f where f.org_id = o.id order by f.given_up_at desc), \
    o.theme_color, o.logo_tag, o.time_zone, o.language, o.home, o.disabled_apps, o.settings, o.delete_after, \
    o.created_at, \
    (select count(*) from tenancy.memberships m where m.org_id = o.id and m.suspended_at is null), \
    (select count(*) from tenancy.invitations i where i.org_id = o.id and i.accepted_at is null \
        and i.revoked_at is null and i.expires_at > $2), \
    (select count(*) from tenancy.departments d where d.org_id = o.id), {} \
    from tenancy.organizations o {} where o.id = $1",
        plans::COLUMNS,
        plans::OF_ORGANIZATION
    )
}

/// The organisation's settings.
#[utoipa::path(get, path = "/api/v1/tenancy/organization", tag = "tenancy",
    responses((status = 200, body = OrganizationSettings), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn organization(permit: Permit<OrganizationRead>) -> Result<Json<OrganizationSettings>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "settings of organisation").await?;
    let row = tx
        .query_one(&settings(), &[&ctx.org_id(), &ctx.kernel().env().now()])
        .await?;
    tx.commit().await?;
    let disabled: Vec<String> = row.try_get(9)?;
    let apps = ctx.kernel().modules().iter().filter(|module| module.is_app);
    Ok(Json(OrganizationSettings {
        id: row.try_get(0)?,
        slug: row.try_get(1)?,
        name: row.try_get(2)?,
        former_slugs: row.try_get(3)?,
        theme_color: row.try_get(4)?,
        logo: row.try_get(5)?,
        time_zone: row.try_get(6)?,
        language: row.try_get(7)?,
        home: row.try_get(8)?,
        apps: apps
            .map(|module| AppState {
                name: module.name,
                title: module.title,
                enabled: !disabled.iter().any(|name| name == module.name),
            })
            .collect(),
        plan: Plan::read(&row, 16)?.with_flags(&row.try_get(10)?),
        usage: PlanUsage {
            members: row.try_get(13)?,
            open_invitations: row.try_get(14)?,
            departments: row.try_get(15)?,
        },
        delete_after: row.try_get(11)?,
        created_at: row.try_get(12)?,
    }))
}

/// Changes the organisation's settings; what is absent stays.
#[utoipa::path(patch, path = "/api/v1/tenancy/organization", tag = "tenancy", request_body = OrganizationChanges,
    responses((status = 200, body = OrganizationSettings), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn change_organization(
    permit: Permit<OrganizationUpdate>,
    read: Permit<OrganizationRead>,
    Json(changes): Json<OrganizationChanges>,
) -> Result<Json<OrganizationSettings>> {
    commands::change_organization(permit.ctx(), &changes).await?;
    organization(read).await
}

/// The organisation's logo.
#[utoipa::path(get, path = "/api/v1/tenancy/organization/logo", tag = "tenancy",
    responses((status = 200, body = Vec<u8>, content_type = "image/*"), (status = 304, description = "The tag is that of if-none-match"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn show_logo(permit: Permit<OrganizationRead>, headers: HeaderMap) -> Result<Response> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "logo").await?;
    let row = tx
        .query_opt(
            "select logo, logo_type, logo_tag from tenancy.organizations where id = $1 and logo is not null",
            &[&ctx.org_id()],
        )
        .await?
        .ok_or_else(|| Error::not_found("tenancy.no_logo", "The organisation has no logo."))?;
    tx.commit().await?;
    let (kind, tag): (String, String) = (row.try_get(1)?, row.try_get(2)?);
    let tag = format!("\"{tag}\"");
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        row.try_get::<_, Vec<u8>>(0)?.into_response()
    };
    let fields = response.headers_mut();
    // A picture and nothing else, whatever somebody makes of it.
    for (name, value) in [
        (header::CONTENT_TYPE, kind.as_str()),
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::CONTENT_DISPOSITION, "inline; filename=\"logo\""),
    ] {
        fields.insert(name, HeaderValue::from_str(value).map_err(Error::internal)?);
    }
    Ok(response)
}

/// What a new logo is known by.
#[derive(Debug, Serialize, ToSchema)]
struct LogoTag {
    /// Changes with the picture.
    logo: Option<String>,
}

/// Gives the organisation a logo: a PNG, JPEG or WebP picture of at most 256 KiB and 1024 by 1024 pixels, as the body itself. What
/// kind it is, is seen by its content.
#[utoipa::path(put, path = "/api/v1/tenancy/organization/logo", tag = "tenancy",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = LogoTag), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 413, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn put_logo(
    permit: Permit<OrganizationUpdate>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<LogoTag>> {
    let picture = body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Error::too_large("tenancy.logo_too_large", "The picture is too large.")
        } else {
            Error::invalid("request.malformed", "The request cannot be read.").details(rejection.body_text())
        }
    })?;
    let logo = commands::set_logo(permit.ctx(), Some(&picture)).await?;
    Ok(Json(LogoTag { logo }))
}

/// Takes the organisation's logo away.
#[utoipa::path(delete, path = "/api/v1/tenancy/organization/logo", tag = "tenancy",
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn remove_logo(permit: Permit<OrganizationUpdate>) -> Result<StatusCode> {
    commands::set_logo(permit.ctx(), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Switches apps off and on. The permissions of an app that is off are nobody's.
#[utoipa::path(put, path = "/api/v1/tenancy/organization/apps", tag = "tenancy", request_body = DisabledApps,
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn set_apps(permit: Permit<AppsUpdate>, Json(apps): Json<DisabledApps>) -> Result<StatusCode> {
    commands::set_apps(permit.ctx(), &apps).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All data of the organisation as a ZIP archive of lines of JSON, a file a table. It is made while it is sent; one that ends without
/// `manifest.json` is not whole. One download at a time.
#[utoipa::path(get, path = "/api/v1/tenancy/organization/export", tag = "tenancy",
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn export_organization(permit: Permit<OrganizationExport>) -> Result<Response> {
    let (name, body) = commands::export(permit.ctx()).await?;
    Ok((
        [
            (header::CONTENT_TYPE, "application/zip".to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{name}\""),
            ),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ],
        body,
    )
        .into_response())
}

/// Hands the organisation over to another member, who becomes its owner; the caller becomes an admin.
#[utoipa::path(post, path = "/api/v1/tenancy/organization/transfer", tag = "tenancy", request_body = NewOwner,
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn transfer_ownership(
    permit: Permit<OrganizationTransfer>,
    Json(heir): Json<NewOwner>,
) -> Result<StatusCode> {
    commands::transfer_ownership(permit.ctx(), &heir).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the caller's own membership. The last owner cannot leave.
#[utoipa::path(post, path = "/api/v1/tenancy/organization/leave", tag = "tenancy",
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn leave_organization(permit: Permit<OrganizationRead>) -> Result<StatusCode> {
    commands::leave(permit.ctx()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The day on which an organisation is deleted.
#[derive(Debug, Serialize, ToSchema)]
struct DeletionDay {
    delete_after: Timestamp,
}

/// Asks for the organisation to be deleted, with its name typed. Until the day that is answered an owner can take it back.
#[utoipa::path(post, path = "/api/v1/tenancy/organization/deletion", tag = "tenancy", request_body = DeletionWish,
    responses((status = 200, body = DeletionDay), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn request_deletion(
    permit: Permit<OrganizationDelete>,
    Json(wish): Json<DeletionWish>,
) -> Result<Json<DeletionDay>> {
    let delete_after = commands::request_deletion(permit.ctx(), &wish).await?;
    Ok(Json(DeletionDay { delete_after }))
}

/// Takes back the wish to delete the organisation.
#[utoipa::path(delete, path = "/api/v1/tenancy/organization/deletion", tag = "tenancy",
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn cancel_deletion(permit: Permit<OrganizationDelete>) -> Result<StatusCode> {
    commands::cancel_deletion(permit.ctx()).await?;
    Ok(StatusCode::NO_CONTENT)
}
