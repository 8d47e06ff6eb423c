//! The import engine: workbooks and delimited text become checked rows of an app's tables.
//!
//! This part is pure: [`reader`] opens a file by its content and streams typed cells, [`detect`] finds sheets, header
//! rows and columns, [`values`] turns cells into values, [`validate`] puts the three together, and [`workbook_out`]
//! writes the template and the error workbook. Rules across fields and against the database belong to the apps.

mod check;
mod commands;
mod commit;
pub mod detect;
mod fault;
mod files;
pub mod limits;
pub mod model;
mod notifications;
pub mod permissions;
pub mod reader;
mod remember;
mod routes;
mod run;
mod staging;
pub mod validate;
pub mod values;
pub mod workbook_out;

pub use limits::Limits;
pub use reader::{Cell, Workbook};

use std::sync::Arc;

use tenon_sdk::{Ctx, Error, Module, Result, import_template::ImportTemplate, migrations};

/// The engine's manifest.
pub fn module() -> Module {
    Module::new("imports", "Imports")
        .tables(
            "imports",
            migrations!["../migrations/" => "0001_runs", "0002_keys"],
        )
        .permissions(permissions::ALL)
        .routes(routes::routes)
        .job::<check::CheckFile>()
        .job::<commit::CommitImport>()
        .notifications(notifications::KINDS)
        .topic("imports", "imports.runs.read")
}

/// The template of an import, if the caller may use it.
fn template_of(ctx: &Ctx, run: &run::Run) -> Result<Arc<dyn ImportTemplate>> {
    let template = ctx.kernel().template(&run.template).ok_or_else(|| {
        Error::not_found("imports.template_unknown", "There is no such template.")
            .details(run.template.clone())
    })?;
    ctx.require(template.spec().permission)?;
    Ok(template)
}
