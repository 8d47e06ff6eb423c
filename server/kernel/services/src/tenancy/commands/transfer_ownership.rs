//! An owner hands the organisation over: somebody else becomes an owner, and they themselves an admin.

use serde::Deserialize;
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, SystemTx, UserId, events::Event, permission::Role};
use utoipa::ToSchema;
use uuid::Uuid;

use super::standing;

/// To whom the organisation goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOwner {
    /// A member of it.
    pub user_id: Uuid,
}

/// Hands the organisation over.
pub(in super::super) async fn transfer_ownership(ctx: &Ctx, heir: &NewOwner) -> Result<()> {
    let (org, env) = (ctx.org_id(), ctx.kernel().env());
    let tx = SystemTx::begin(ctx.kernel().db(), "transfer of ownership").await?;
    standing::lock(&tx, org).await?;
    let owner = standing::actor(&tx, ctx).await?;
    owner.may_give(Role::Owner)?;
    let heir = standing::member(&tx, org, UserId(heir.user_id)).await?;
    if heir.user == owner.user {
        return Err(Error::conflict(
            "tenancy.not_oneself",
            "You cannot hand the organisation over to yourself.",
        ));
    }
    if heir.suspended {
        return Err(Error::conflict(
            "tenancy.member_suspended",
            "A suspended member cannot be its owner.",
        )
        .hint("Let them in again first."));
    }
    for (user, role) in [(heir.user, Role::Owner), (owner.user, Role::Admin)] {
        tx.execute(
            "update tenancy.memberships set role = $3 where org_id = $1 and user_id = $2",
            &[&org, &user, &role.as_str()],
        )
        .await?;
    }
    standing::withdraw_invitations(&tx, org, owner.user, Some(Role::Admin), env.now()).await?;
    let transferred = Event::new(
        "tenancy.ownership_transferred",
        heir.user.0,
        json!({ "before": owner.user }),
    );
    tx.emit(env, org, Some(owner.user), &transferred).await?;
    tx.commit().await
}
