//! An admin gives a department another name; its members go with it.

use serde_json::json;
use tenon_sdk::{Ctx, Result, SystemTx, events::Event};
use uuid::Uuid;

use super::{
    DepartmentName,
    departments::{not_found, taken},
    names, standing,
};

/// Renames a department.
pub(in super::super) async fn rename_department(ctx: &Ctx, id: Uuid, new: &DepartmentName) -> Result<()> {
    let name = names::department(&new.name)?;
    let (org, env) = (ctx.org_id(), ctx.kernel().env());
    let tx = SystemTx::begin(ctx.kernel().db(), "department").await?;
    standing::lock(&tx, org).await?;
    let renamed = tx
        .execute(
            "update tenancy.departments set name = $3 where org_id = $1 and id = $2",
            &[&org, &id, &name],
        )
        .await
        .map_err(taken)?;
    if renamed == 0 {
        return Err(not_found());
    }
    let event = Event::new("tenancy.department_renamed", id, json!({ "name": name }));
    tx.emit(env, org, ctx.user_id(), &event).await?;
    tx.commit().await
}
