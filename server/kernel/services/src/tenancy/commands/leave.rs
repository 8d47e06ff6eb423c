//! A member leaves. The last owner cannot.

use serde_json::json;
use tenon_sdk::{Ctx, Result, events::Event};

use super::{remove_member::end, standing};
use crate::tenancy::{Acting, permissions::OrganizationRead};

/// Ends the caller's own membership.
pub(in super::super) async fn leave(ctx: &Ctx) -> Result<()> {
    let acting = Acting::begin::<OrganizationRead>(ctx, "leave").await?;
    let (org, env) = (acting.org(), acting.env());
    let member = standing::member(acting.tx(), org, acting.member().await?.user).await?;
    let left = Event::new(
        "tenancy.member_left",
        member.user.0,
        json!({ "role": member.role }),
    );
    end(acting.tx(), env, org, &member, Some(member.user), &left).await?;
    acting.commit().await
}
