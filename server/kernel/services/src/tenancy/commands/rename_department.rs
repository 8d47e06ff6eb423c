//! An admin gives a department another name; its members go with it.

use serde_json::json;
use tenon_sdk::{Ctx, Result, events::Event};
use uuid::Uuid;

use super::{
    DepartmentName,
    departments::{not_found, taken},
    names,
};
use crate::tenancy::{Acting, permissions::DepartmentsUpdate};

/// Renames a department.
pub(in super::super) async fn rename_department(ctx: &Ctx, id: Uuid, new: &DepartmentName) -> Result<()> {
    let name = names::department(&new.name)?;
    let acting = Acting::begin::<DepartmentsUpdate>(ctx, "department").await?;
    let renamed = acting
        .tx()
        .execute(
            "update tenancy.departments set name = $3 where org_id = $1 and id = $2",
            &[&acting.org(), &id, &name],
        )
        .await
        .map_err(taken)?;
    if renamed == 0 {
        return Err(not_found());
    }
    let event = Event::new("tenancy.department_renamed", id, json!({ "name": name }));
    acting.emit(&event).await?;
    acting.commit().await
}
