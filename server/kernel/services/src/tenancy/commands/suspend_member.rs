//! Somebody who may suspends a member, or lets them in again. Whoever is suspended is out with their next request, and keeps role and
//! department.

use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, UserId, events::Event};

use super::{limits, standing};
use crate::tenancy::{Acting, permissions::MembersSuspend};

/// Suspends a member.
pub(in super::super) async fn suspend_member(ctx: &Ctx, user: UserId) -> Result<()> {
    let acting = Acting::begin::<MembersSuspend>(ctx, "suspend member").await?;
    let (org, env, tx) = (acting.org(), acting.env(), acting.tx());
    let actor = acting.member().await?;
    let member = standing::member(tx, org, user).await?;
    actor.may_touch(&member)?;
    if member.user == actor.user {
        return Err(
            Error::conflict("tenancy.not_oneself", "You cannot suspend yourself.")
                .hint("Leave the organisation instead."),
        );
    }
    if !member.suspended {
        standing::keep_an_owner(tx, org, &member).await?;
        tx.execute(
            "update tenancy.memberships set suspended_at = $3 where org_id = $1 and user_id = $2",
            &[&org, &user, &env.now()],
        )
        .await?;
        standing::withdraw_invitations(tx, org, user, None, env.now()).await?;
        let suspended = Event::new("tenancy.member_suspended", user.0, json!({}));
        acting.emit(&suspended).await?;
    }
    acting.commit().await
}

/// Lets a suspended member in again.
pub(in super::super) async fn reinstate_member(ctx: &Ctx, user: UserId) -> Result<()> {
    let acting = Acting::begin::<MembersSuspend>(ctx, "reinstate member").await?;
    let (org, tx) = (acting.org(), acting.tx());
    let actor = acting.member().await?;
    let member = standing::member(tx, org, user).await?;
    actor.may_touch(&member)?;
    if member.suspended {
        limits::one_more_member(tx, org, &acting.locked).await?;
        tx.execute(
            "update tenancy.memberships set suspended_at = null where org_id = $1 and user_id = $2",
            &[&org, &user],
        )
        .await?;
        let reinstated = Event::new("tenancy.member_reinstated", user.0, json!({}));
        acting.emit(&reinstated).await?;
    }
    acting.commit().await
}
