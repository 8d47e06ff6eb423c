//! Somebody who may removes a member, who is out with their next request.

use serde_json::json;
use tenon_sdk::{Ctx, Error, OrgId, Result, SystemTx, UserId, env::Env, events::Event};

use super::standing::{self, Standing};
use crate::tenancy::{Acting, permissions::MembersRemove};

/// Removes a member.
pub(in super::super) async fn remove_member(ctx: &Ctx, user: UserId) -> Result<()> {
    let acting = Acting::begin::<MembersRemove>(ctx, "remove member").await?;
    let (org, env, tx) = (acting.org(), acting.env(), acting.tx());
    let actor = acting.member().await?;
    let member = standing::member(tx, org, user).await?;
    actor.may_touch(&member)?;
    if member.user == actor.user {
        return Err(
            Error::conflict("tenancy.not_oneself", "You cannot remove yourself.")
                .hint("Leave the organisation instead."),
        );
    }
    let removed = Event::new("tenancy.member_removed", user.0, json!({ "role": member.role }));
    end(tx, env, org, &member, Some(actor.user), &removed).await?;
    acting.commit().await
}

/// Ends a membership, and what its holder began and did not finish; the secret keys they made are revoked, and they are in no space
/// any more. The organisation is locked.
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
    standing::revoke_keys(tx, env, org, member.user, actor, "maker_left").await?;
    tx.emit(env, org, actor, event).await
}
