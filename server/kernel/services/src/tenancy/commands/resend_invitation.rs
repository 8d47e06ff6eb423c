//! Somebody who may invite has an invitation sent again: with a new link, since nobody knows the old one, and good for as long as a
//! new one.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, events::Event, permission::Role};
use uuid::Uuid;

use super::{Invitation, invite, limits, token_hash};
use crate::tenancy::{Acting, permissions::MembersInvite};

/// Renews an invitation that was not accepted, and mails it if it has an address.
pub(in super::super) async fn resend_invitation(ctx: &Ctx, id: Uuid) -> Result<Invitation> {
    let acting = Acting::begin::<MembersInvite>(ctx, "invitation again").await?;
    let (org, env, tx) = (acting.org(), acting.env(), acting.tx());
    let (token, now) = (env.new_secret::<24>(), env.now());
    let actor = acting.member().await?;
    let row = tx
        .query_opt(
            "select role, email, department, language, expires_at <= $3 from tenancy.invitations \
             where org_id = $1 and id = $2 and accepted_at is null and revoked_at is null for update",
            &[&org, &id, &now],
        )
        .await?
        .ok_or_else(super::invitation_not_found)?;
    let role: String = row.try_get(0)?;
    let role = Role::parse(&role).ok_or_else(|| Error::internal("unknown role in invitation"))?;
    let (email, department): (Option<String>, Option<String>) = (row.try_get(1)?, row.try_get(2)?);
    acting.may_give(role)?;
    if row.try_get(4)? {
        // One that had run out counts again.
        limits::one_more_invitation(tx, org, &acting.locked, now).await?;
    }
    let expires_at: Timestamp =
        now + SignedDuration::from_hours(24 * ctx.kernel().config().auth.invitation_days);
    tx.execute(
        "update tenancy.invitations set token_hash = $3, expires_at = $4, created_by = $5 where org_id = $1 and id = $2",
        &[&org, &id, &token_hash(&token), &expires_at, &actor.user],
    )
    .await?;
    let url = invite::link(ctx.kernel(), &token);
    let mailed = match &email {
        Some(email) => {
            let language: String = row.try_get(3)?;
            invite::mail(&acting, id, &language, email, &url).await?
        }
        None => false,
    };
    let sent = Event::new("tenancy.invitation_resent", id, json!({ "role": role }));
    acting.emit(&sent).await?;
    acting.commit().await?;
    Ok(Invitation {
        id,
        role,
        email,
        department,
        token,
        url,
        expires_at,
        mailed,
    })
}
