//! Somebody who may removes a member, who is out with their next request.

use serde_json::json;
use tenon_sdk::{Ctx, Error, OrgId, Result, SystemTx, UserId, env::Env, events::Event};

use super::standing::{self, Standing};

/// Removes a member.
pub(in super::super) async fn remove_member(ctx: &Ctx, user: UserId) -> Result<()> {
    let (org, env) = (ctx.org_id(), ctx.kernel().env());
    let tx = SystemTx::begin(ctx.kernel().db(), "remove member").await?;
    standing::lock(&tx, org).await?;
    let actor = standing::actor(&tx, ctx).await?;
    let member = standing::member(&tx, org, user).await?;
    actor.may_touch(&member)?;
    if member.user == actor.user {
        return Err(
            Error::conflict("tenancy.not_oneself", "You cannot remove yourself.")
                .hint("Leave the organisation instead."),
        );
    }
    let removed = Event::new("tenancy.member_removed", user.0, json!({ "role": member.role }));
    end(&tx, env, org, &member, Some(actor.user), &removed).await?;
    tx.commit().await
}

/// Ends a membership, and what its holder began and did not finish.
pub(super) async fn end(
    tx: &SystemTx,
    env: &Env,
    org: OrgId,
    member: &Standing,
    actor: Option<UserId>,
    event: &Event,
) -> Result<()> {
    standing::keep_an_owner(tx, org, member).await?;
    tx.execute(
        "delete from tenancy.memberships where org_id = $1 and user_id = $2",
        &[&org, &member.user],
    )
    .await?;
    standing::withdraw_invitations(tx, org, member.user, None, env.now()).await?;
    tx.emit(env, org, actor, event).await
}
