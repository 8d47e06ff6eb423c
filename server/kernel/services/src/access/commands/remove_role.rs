//! Somebody removes a role that nobody has.

use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, events::Event};
use uuid::Uuid;

use super::super::permissions::RolesManage;
use crate::tenancy::Acting;

/// Removes a role.
pub async fn remove_role(ctx: &Ctx, id: Uuid) -> Result<()> {
    let acting = Acting::begin::<RolesManage>(ctx, "remove role").await?;
    let (org, tx) = (acting.org(), acting.tx());
    let name: String = tx
        .query_opt(
            "select name from tenancy.roles where org_id = $1 and id = $2 for update",
            &[&org, &id],
        )
        .await?
        .ok_or_else(super::save_role::not_found)?
        .try_get(0)?;
    let held: i64 = tx
        .query_one(
            "select count(*) from tenancy.memberships where org_id = $1 and custom_role = $2",
            &[&org, &id],
        )
        .await?
        .try_get(0)?;
    if held > 0 {
        return Err(Error::conflict("access.role_in_use", "Somebody has this role.")
            .details(format!("Members who have it: {held}."))
            .hint("Give them another role first."));
    }
    tx.execute(
        "delete from tenancy.roles where org_id = $1 and id = $2",
        &[&org, &id],
    )
    .await?;
    let removed = Event::new("access.role_removed", id, json!({ "name": name }));
    acting.emit(&removed).await?;
    acting.commit().await
}
