//! Somebody says which sheet and column is which; the file is checked anew.

use tenon_sdk::{Ctx, Error, Result, TenantTx};
use uuid::Uuid;

use crate::{check::CheckFile, model::State, remember, run::Run, validate::Mapping};

/// Sets the mapping and remembers it for the organisation.
pub(crate) async fn map(ctx: &Ctx, id: Uuid, mapping: Mapping) -> Result<Run> {
    let tx = ctx.begin().await?;
    let mut run = Run::lock(&tx, id).await?;
    let template = super::super::template_of(ctx, &run)?;
    for mapped in &mapping.sheets {
        let Some(sheet) = run.sheets.iter_mut().find(|sheet| sheet.name == mapped.name) else {
            return Err(
                Error::unprocessable("imports.mapping_unknown_sheet", "The file has no such sheet.")
                    .details(mapped.name.clone()),
            );
        };
        let target = match &mapped.target {
            Some(key) => Some(template.spec().sheet(key).ok_or_else(|| {
                Error::unprocessable(
                    "imports.mapping_unknown_target",
                    "The template has no such sheet.",
                )
                .details(key.clone())
            })?),
            None => None,
        };
        if let (Some(spec), Some(key)) = (
            target,
            mapped
                .columns
                .keys()
                .find(|key| target.is_none_or(|spec| spec.field(key).is_none())),
        ) {
            return Err(Error::unprocessable(
                "imports.mapping_unknown_field",
                "The template has no such field.",
            )
            .details(format!("{}: {key}", spec.title)));
        }
        if sheet.header_row == mapped.header_row {
            sheet.target.clone_from(&mapped.target);
            sheet.columns.clone_from(&mapped.columns);
            remember::save(&tx, &run.template, sheet).await?;
        }
    }
    store(&tx, &mut run, &mapping).await?;
    let run = Run::find(&tx, id).await?;
    tx.commit().await?;
    Ok(run)
}

async fn store(tx: &TenantTx, run: &mut Run, mapping: &Mapping) -> Result<()> {
    run.become_state(tx, State::Mapped).await?;
    let job = tx.enqueue(&CheckFile { import: run.id }).await?;
    let mapping = serde_json::to_value(mapping).map_err(Error::internal)?;
    tx.execute(
        "update imports.runs set mapping = $3, job_id = $4, error = null where org_id = $1 and id = $2",
        &[&tx.org_id(), &run.id, &mapping, &job],
    )
    .await?;
    Ok(())
}
