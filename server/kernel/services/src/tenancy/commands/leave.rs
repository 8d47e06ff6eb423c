//! A member leaves. The last owner cannot.

use serde_json::json;
use tenon_sdk::{Ctx, Result, SystemTx, events::Event};

use super::{remove_member::end, standing};

/// Ends the caller's own membership.
pub(in super::super) async fn leave(ctx: &Ctx) -> Result<()> {
    let (org, env) = (ctx.org_id(), ctx.kernel().env());
    let tx = SystemTx::begin(ctx.kernel().db(), "leave").await?;
    standing::lock(&tx, org).await?;
    let acting = standing::actor(&tx, ctx).await?;
    let member = standing::member(&tx, org, acting.user).await?;
    let left = Event::new(
        "tenancy.member_left",
        member.user.0,
        json!({ "role": member.role }),
    );
    end(&tx, env, org, &member, Some(member.user), &left).await?;
    tx.commit().await
}
