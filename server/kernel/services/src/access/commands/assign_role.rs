//! Somebody gives a member a role of the organisation's own, beside the built-in one or instead of it, or takes it away.

use serde::Deserialize;
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, UserId, events::Event, permission::Role};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::{model, permissions::RolesManage};
use crate::tenancy::{Acting, Feature, included, revoke_keys};

/// Which role a member has besides, or instead.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AssignedRole {
    /// The role; null takes it away.
    pub role: Option<Uuid>,
    /// Whether it counts alone. The built-in role then only says whom the member may not touch.
    #[serde(default)]
    pub only: bool,
}

/// Gives or takes.
pub async fn assign_role(ctx: &Ctx, member: Uuid, assigned: &AssignedRole) -> Result<()> {
    let acting = Acting::begin::<RolesManage>(ctx, "role of a member").await?;
    let (org, tx) = (acting.org(), acting.tx());
    let row = tx
        .query_opt(
            "select m.role from tenancy.memberships m where m.org_id = $1 and m.user_id = $2 for update",
            &[&org, &member],
        )
        .await?
        .ok_or_else(|| Error::not_found("access.member_not_found", "There is no such member."))?;
    let rank: String = row.try_get(0)?;
    let rank = Role::parse(&rank).ok_or_else(|| Error::internal("unknown role of member"))?;
    if acting.role().is_none_or(|own| rank > own) {
        return Err(Error::forbidden(
            "access.member_above_own",
            "This member's role is above your own.",
        ));
    }
    if rank == Role::Owner && assigned.only {
        return Err(
            Error::unprocessable("access.owner_keeps_role", "An owner keeps the role of an owner.")
                .hint("Give them another built-in role first."),
        );
    }
    let mut name = None;
    if let Some(role) = assigned.role {
        // One that somebody has already can be taken away whatever the plan says.
        included(&acting.locked, Feature::CustomRoles)?;
        let row = tx
            .query_opt(
                "select name, granted from tenancy.roles where org_id = $1 and id = $2 for share",
                &[&org, &role],
            )
            .await?
            .ok_or_else(super::save_role::not_found)?;
        let granted: String = row.try_get(1)?;
        super::require(&acting, model::split(&granted))?;
        name = row.try_get::<_, Option<String>>(0)?;
    }
    let only = assigned.only && assigned.role.is_some();
    if !only {
        // What the built-in role brings back must be the giver's to give, too.
        let built_in = super::all(ctx.kernel())
            .filter(|def| def.from <= rank)
            .map(|def| def.name);
        let narrowed: bool = tx
            .query_one(
                "select custom_only from tenancy.memberships where org_id = $1 and user_id = $2",
                &[&org, &member],
            )
            .await?
            .try_get(0)?;
        if narrowed {
            super::require(&acting, built_in)?;
        }
    }
    tx.execute(
        "update tenancy.memberships set custom_role = $3, custom_only = $4 where org_id = $1 and user_id = $2",
        &[&org, &member, &assigned.role, &only],
    )
    .await?;
    let payload = json!({ "role": name, "only": only });
    acting
        .emit(&Event::new("access.member_role_changed", member, payload))
        .await?;
    let maker = UserId(member);
    revoke_keys(tx, acting.env(), org, maker, ctx.user_id(), "maker_set_down").await?;
    acting.commit().await
}
