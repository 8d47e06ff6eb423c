//! Somebody who may invite withdraws an invitation.

use serde_json::json;
use tenon_sdk::{Ctx, Result, SystemTx, events::Event};
use uuid::Uuid;

/// Withdraws an invitation that was not accepted; its link is good for nothing from now on.
pub(in super::super) async fn revoke_invitation(ctx: &Ctx, id: Uuid) -> Result<()> {
    let (org, env) = (ctx.org_id(), ctx.kernel().env());
    let tx = SystemTx::begin(ctx.kernel().db(), "withdraw invitation").await?;
    super::standing::lock(&tx, org).await?;
    let withdrawn = tx
        .execute(
            "update tenancy.invitations set revoked_at = $3 \
             where org_id = $1 and id = $2 and accepted_at is null and revoked_at is null",
            &[&org, &id, &env.now()],
        )
        .await?;
    if withdrawn == 0 {
        return Err(super::invitation_not_found());
    }
    let revoked = Event::new("tenancy.invitation_revoked", id, json!({}));
    tx.emit(env, org, ctx.user_id(), &revoked).await?;
    tx.commit().await
}
