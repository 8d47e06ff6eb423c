//! Letting people in: making, showing, sending again, withdrawing and taking up invitations.

use axum::{extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use tenon_sdk::{
    Kernel, Result, SystemTx,
    http::{Caller, ErrorBody, Json, Path, Permit},
    module::Routes,
    permission::Role,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{
    super::{
        commands::{self, Invitation, Invited, NewInvitation, Organization},
        permissions::MembersInvite,
    },
    parse_role,
};
use crate::identity::require_session;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(invite))
        .routes(routes!(look_at_invitation))
        .routes(routes!(accept_invitation))
        .routes(routes!(open_invitations))
        .routes(routes!(revoke_invitation))
        .routes(routes!(resend_invitation))
}

/// Makes a link that lets one person in; with an address, it is mailed there and only its owner can take it up.
#[utoipa::path(post, path = "/api/v1/tenancy/invitations", tag = "tenancy", request_body = NewInvitation,
    responses((status = 201, body = Invitation), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn invite(
    permit: Permit<MembersInvite>,
    Json(new): Json<NewInvitation>,
) -> Result<(StatusCode, Json<Invitation>)> {
    let made = commands::invite(permit.ctx(), &new).await?;
    Ok((StatusCode::CREATED, Json(made)))
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
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn accept_invitation(
    caller: Caller,
    State(kernel): State<Kernel>,
    Path(token): Path<String>,
) -> Result<Json<Organization>> {
    require_session(&kernel, &caller).await?;
    commands::accept_invitation(&kernel, caller.user, &token)
        .await
        .map(Json)
}

/// An invitation that was neither accepted nor withdrawn.
#[derive(Debug, Serialize, ToSchema)]
struct OpenInvitation {
    id: Uuid,
    /// Whom it is meant for; absent: whoever has the link.
    email: Option<String>,
    role: Role,
    department: Option<String>,
    /// Who made it, or sent it last.
    invited_by: Option<String>,
    created_at: Timestamp,
    /// When the link last went out by mail.
    mailed_at: Option<Timestamp>,
    /// Until when it is or was good.
    expires_at: Timestamp,
    expired: bool,
}

/// Invitations that were neither accepted nor withdrawn, the newest first.
#[utoipa::path(get, path = "/api/v1/tenancy/open-invitations", tag = "tenancy",
    responses((status = 200, body = Vec<OpenInvitation>), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn open_invitations(permit: Permit<MembersInvite>) -> Result<Json<Vec<OpenInvitation>>> {
    let ctx = permit.ctx();
    let tx = SystemTx::begin(ctx.kernel().db(), "open invitations").await?;
    let rows = tx
        .query(
            "select i.id, i.email, i.role, i.department, coalesce(u.raw_user_meta_data ->> 'name', u.email), i.created_at, \
             i.mailed_at, i.expires_at, i.expires_at <= $2 \
             from tenancy.invitations i left join auth.users u on u.id = i.created_by \
             where i.org_id = $1 and i.accepted_at is null and i.revoked_at is null \
             order by i.created_at desc, i.id limit 500",
            &[&ctx.org_id(), &ctx.kernel().env().now()],
        )
        .await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            let role: String = row.try_get(2)?;
            Ok(OpenInvitation {
                id: row.try_get(0)?,
                email: row.try_get(1)?,
                role: parse_role(&role)?,
                department: row.try_get(3)?,
                invited_by: row.try_get(4)?,
                created_at: row.try_get(5)?,
                mailed_at: row.try_get(6)?,
                expires_at: row.try_get(7)?,
                expired: row.try_get(8)?,
            })
        })
        .collect::<Result<_>>()
        .map(Json)
}

/// Withdraws an invitation: its link is good for nothing from now on.
#[utoipa::path(delete, path = "/api/v1/tenancy/open-invitations/{id}", tag = "tenancy", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn revoke_invitation(permit: Permit<MembersInvite>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    commands::revoke_invitation(permit.ctx(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a new link for an invitation, good for as long as a new one, and mails it; the old link is good for nothing.
#[utoipa::path(post, path = "/api/v1/tenancy/open-invitations/{id}/resend", tag = "tenancy", params(("id" = Uuid, Path)),
    responses((status = 200, body = Invitation), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 429, body = ErrorBody)))]
async fn resend_invitation(permit: Permit<MembersInvite>, Path(id): Path<Uuid>) -> Result<Json<Invitation>> {
    commands::resend_invitation(permit.ctx(), id).await.map(Json)
}
