//! Departments by their names, whatever the case.

use serde::Serialize;
use tenon_sdk::{Error, OrgId, Result, SystemTx};
use utoipa::ToSchema;
use uuid::Uuid;

/// A department.
#[derive(Debug, Serialize, ToSchema)]
pub struct Department {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// How many members belong to it.
    pub members: i64,
}

/// The department somebody named, as it is written; an error if there is none.
pub(super) async fn named(tx: &SystemTx, org: OrgId, name: Option<&str>) -> Result<Option<String>> {
    let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    let row = tx
        .query_opt(
            "select name from tenancy.departments where org_id = $1 and lower(name) = lower($2)",
            &[&org, &name],
        )
        .await?
        .ok_or_else(|| {
            Error::unprocessable("tenancy.department_unknown", "There is no such department.")
                .hint("Add it in the settings first.")
        })?;
    Ok(Some(row.try_get(0)?))
}

pub(super) fn not_found() -> Error {
    Error::not_found("tenancy.department_not_found", "There is no such department.")
}

/// What the database says when a name is taken, in our words.
pub(super) fn taken(error: Error) -> Error {
    error.if_taken(|| Error::conflict("tenancy.department_exists", "There is a department of this name."))
}
