//! An admin removes a department; its members stay, without one.

use serde_json::json;
use tenon_sdk::{Ctx, Result, SystemTx, events::Event};
use uuid::Uuid;

use super::{departments::not_found, standing};

/// Removes a department.
pub(in super::super) async fn remove_department(ctx: &Ctx, id: Uuid) -> Result<()> {
    let (org, env) = (ctx.org_id(), ctx.kernel().env());
    let tx = SystemTx::begin(ctx.kernel().db(), "department").await?;
    standing::lock(&tx, org).await?;
    let removed = tx
        .execute(
            "delete from tenancy.departments where org_id = $1 and id = $2",
            &[&org, &id],
        )
        .await?;
    if removed == 0 {
        return Err(not_found());
    }
    let event = Event::new("tenancy.department_removed", id, json!({}));
    tx.emit(env, org, ctx.user_id(), &event).await?;
    tx.commit().await
}
