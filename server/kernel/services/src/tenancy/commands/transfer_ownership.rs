//! An owner hands the organisation over: somebody else becomes an owner, and they themselves an admin.

use serde::Deserialize;
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, UserId, events::Event, permission::Role};
use utoipa::ToSchema;
use uuid::Uuid;

use super::standing;
use crate::tenancy::{Acting, permissions::OrganizationTransfer};

/// To whom the organisation goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOwner {
    /// A member of it.
    pub user_id: Uuid,
}

/// Hands the organisation over.
pub(in super::super) async fn transfer_ownership(ctx: &Ctx, heir: &NewOwner) -> Result<()> {
    let acting = Acting::begin::<OrganizationTransfer>(ctx, "transfer of ownership").await?;
    let (org, env, tx) = (acting.org(), acting.env(), acting.tx());
    let owner = acting.member().await?;
    acting.may_give(Role::Owner)?;
    let heir = standing::member(tx, org, UserId(heir.user_id)).await?;
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
    if heir.barred {
        return Err(Error::conflict(
            "tenancy.member_barred",
            "This member is shut out of the installation and cannot be its owner.",
        ));
    }
    for (user, role) in [(heir.user, Role::Owner), (owner.user, Role::Admin)] {
        tx.execute(
            "update tenancy.memberships set role = $3 where org_id = $1 and user_id = $2",
            &[&org, &user, &role.as_str()],
        )
        .await?;
    }
    standing::withdraw_invitations(tx, org, owner.user, Some(Role::Admin), env.now()).await?;
    standing::revoke_keys(tx, env, org, owner.user, Some(owner.user), "maker_set_down").await?;
    let transferred = Event::new(
        "tenancy.ownership_transferred",
        heir.user.0,
        json!({ "before": owner.user }),
    );
    acting.emit(&transferred).await?;
    acting.commit().await
}
