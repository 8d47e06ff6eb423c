//! An admin removes a department; its members stay, without one.

use serde_json::json;
use tenon_sdk::{Ctx, Result, events::Event};
use uuid::Uuid;

use super::departments::not_found;
use crate::tenancy::{Acting, permissions::DepartmentsUpdate};

/// Removes a department.
pub(in super::super) async fn remove_department(ctx: &Ctx, id: Uuid) -> Result<()> {
    let acting = Acting::begin::<DepartmentsUpdate>(ctx, "department").await?;
    let removed = acting
        .tx()
        .execute(
            "delete from tenancy.departments where org_id = $1 and id = $2",
            &[&acting.org(), &id],
        )
        .await?;
    if removed == 0 {
        return Err(not_found());
    }
    let event = Event::new("tenancy.department_removed", id, json!({}));
    acting.emit(&event).await?;
    acting.commit().await
}
