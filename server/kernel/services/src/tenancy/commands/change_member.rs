//! Somebody who may changes a member's role or department, from the member's next request on.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tenon_sdk::{Ctx, Result, UserId, events::Event, permission::Role};
use utoipa::ToSchema;

use super::{change_organization::given, departments, standing};
use crate::tenancy::{Acting, permissions::MembersUpdate};

/// What changes about a member; what is absent stays.
#[allow(clippy::option_option, reason = "absent, null and a name are three wishes")]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberChanges {
    /// Their role, never above that of whoever gives it.
    #[serde(default)]
    pub role: Option<Role>,
    /// Their department; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub department: Option<Option<String>>,
}

/// Changes a member.
pub(in super::super) async fn change_member(ctx: &Ctx, user: UserId, changes: &MemberChanges) -> Result<()> {
    let acting = Acting::begin::<MembersUpdate>(ctx, "change of member").await?;
    let (org, env, tx) = (acting.org(), acting.env(), acting.tx());
    let actor = acting.member().await?;
    let member = standing::member(tx, org, user).await?;
    actor.may_touch(&member)?;
    let mut told = Map::new();
    if let Some(role) = changes.role.filter(|role| *role != member.role) {
        acting.may_give(role)?;
        standing::keep_an_owner(tx, org, &member).await?;
        tx.execute(
            "update tenancy.memberships set role = $3 where org_id = $1 and user_id = $2",
            &[&org, &user, &role.as_str()],
        )
        .await?;
        if role < member.role {
            standing::withdraw_invitations(tx, org, user, Some(role), env.now()).await?;
            standing::revoke_keys(tx, env, org, user, Some(actor.user), "maker_set_down").await?;
        }
        told.insert("role".into(), json!(role));
        told.insert("before".into(), json!(member.role));
    }
    if let Some(department) = &changes.department {
        let department = departments::named(tx, org, department.as_deref()).await?;
        if department != member.department {
            tx.execute(
                "update tenancy.memberships set department = $3 where org_id = $1 and user_id = $2",
                &[&org, &user, &department],
            )
            .await?;
            told.insert("department".into(), json!(department));
        }
    }
    if !told.is_empty() {
        let event = Event::new("tenancy.member_changed", user.0, Value::Object(told));
        acting.emit(&event).await?;
    }
    acting.commit().await
}
