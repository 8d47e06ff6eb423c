//! Somebody who may invite has an invitation sent again: with a new link, since nobody knows the old one, and good for as long as a
//! new one.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, SystemTx, events::Event, permission::Role};
use uuid::Uuid;

use super::{Invitation, invite, limits, standing, token_hash};

/// Renews an invitation that was not accepted, and mails it if it has an address.
pub(in super::super) async fn resend_invitation(ctx: &Ctx, id: Uuid) -> Result<Invitation> {
    let (org, env, config) = (ctx.org_id(), ctx.kernel().env(), ctx.kernel().config());
    let (token, now) = (env.new_secret::<24>(), env.now());
    let tx = SystemTx::begin(ctx.kernel().db(), "invitation again").await?;
    let locked = standing::lock(&tx, org).await?;
    let actor = standing::actor(&tx, ctx).await?;
    let row = tx
        .query_opt(
            "select role, email, department, language, mailed_at, expires_at <= $3 from tenancy.invitations \
             where org_id = $1 and id = $2 and accepted_at is null and revoked_at is null for update",
            &[&org, &id, &now],
        )
        .await?
        .ok_or_else(super::invitation_not_found)?;
    let role: String = row.try_get(0)?;
    let role = Role::parse(&role).ok_or_else(|| Error::internal("unknown role in invitation"))?;
    let (email, department): (Option<String>, Option<String>) = (row.try_get(1)?, row.try_get(2)?);
    actor.may_give(role)?;
    let mailed: Option<Timestamp> = row.try_get(4)?;
    let pause = SignedDuration::from_secs(config.tenancy.invitation_pause_seconds);
    if mailed.is_some_and(|at| now < at + pause) {
        return Err(Error::rate_limited(
            "tenancy.invitation_just_sent",
            "This invitation was sent a moment ago.",
        )
        .hint("Wait a minute."));
    }
    if row.try_get(5)? {
        // One that had run out counts again.
        limits::one_more_invitation(&tx, org, &locked, now).await?;
    }
    let expires_at = now + SignedDuration::from_hours(24 * config.auth.invitation_days);
    tx.execute(
        "update tenancy.invitations set token_hash = $3, expires_at = $4, created_by = $5 where org_id = $1 and id = $2",
        &[&org, &id, &token_hash(&token), &expires_at, &actor.user],
    )
    .await?;
    let url = invite::link(ctx.kernel(), &token);
    let mailed = match &email {
        Some(email) => {
            let language: String = row.try_get(3)?;
            invite::mail(ctx.kernel(), &tx, (org, id), &language, email, &locked.name, &url).await?
        }
        None => false,
    };
    let sent = Event::new("tenancy.invitation_resent", id, json!({ "role": role }));
    tx.emit(env, org, Some(actor.user), &sent).await?;
    tx.commit().await?;
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
