//! An admin adds a department.

use serde::Deserialize;
use serde_json::json;
use tenon_sdk::{Ctx, Result, events::Event};
use utoipa::ToSchema;

use super::{Department, departments::taken, limits, names};
use crate::tenancy::{Acting, permissions::DepartmentsUpdate};

/// What a department is called.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DepartmentName {
    /// Its name, unique in the organisation whatever the case.
    #[schema(example = "Purchasing", min_length = 1, max_length = 80)]
    pub name: String,
}

/// Adds a department.
pub(in super::super) async fn add_department(ctx: &Ctx, new: &DepartmentName) -> Result<Department> {
    let name = names::department(&new.name)?;
    let acting = Acting::begin::<DepartmentsUpdate>(ctx, "department").await?;
    let (org, env, tx) = (acting.org(), acting.env(), acting.tx());
    let id = env.new_id();
    limits::one_more_department(tx, org, &acting.locked).await?;
    tx.execute(
        "insert into tenancy.departments (org_id, id, name, created_at) values ($1, $2, $3, $4)",
        &[&org, &id, &name, &env.now()],
    )
    .await
    .map_err(taken)?;
    let added = Event::new("tenancy.department_added", id, json!({ "name": name }));
    acting.emit(&added).await?;
    acting.commit().await?;
    Ok(Department {
        id,
        name: name.to_owned(),
        members: 0,
    })
}
