//! Somebody who may invite withdraws an invitation.

use serde_json::json;
use tenon_sdk::{Ctx, Result, events::Event};
use uuid::Uuid;

use crate::tenancy::{Acting, permissions::MembersInvite};

/// Withdraws an invitation that was not accepted; its link is good for nothing from now on.
pub(in super::super) async fn revoke_invitation(ctx: &Ctx, id: Uuid) -> Result<()> {
    let acting = Acting::begin::<MembersInvite>(ctx, "withdraw invitation").await?;
    let withdrawn = acting
        .tx()
        .execute(
            "update tenancy.invitations set revoked_at = $3 \
             where org_id = $1 and id = $2 and accepted_at is null and revoked_at is null",
            &[&acting.org(), &id, &acting.env().now()],
        )
        .await?;
    if withdrawn == 0 {
        return Err(super::invitation_not_found());
    }
    let revoked = Event::new("tenancy.invitation_revoked", id, json!({}));
    acting.emit(&revoked).await?;
    acting.commit().await
}
