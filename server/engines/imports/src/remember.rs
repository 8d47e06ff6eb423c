//! What people of an organisation chose for a heading, so that they choose it once.

use tenon_sdk::{Result, TenantTx};

use crate::{
    detect::{Remembered, normalise},
    run::Sheet,
};

/// What was remembered for a template.
pub(crate) async fn load(tx: &TenantTx, template: &str) -> Result<Remembered> {
    let rows = tx
        .query(
            "select sheet, heading, field from imports.remembered_columns where org_id = $1 and template = $2",
            &[&tx.org_id(), &template],
        )
        .await?;
    let mut remembered = Remembered::default();
    for row in &rows {
        remembered.note(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    }
    Ok(remembered)
}

/// Remembers the choices of one sheet: each heading's field, or that it is left out.
pub(crate) async fn save(tx: &TenantTx, template: &str, sheet: &Sheet) -> Result<()> {
    let Some(target) = &sheet.target else {
        return Ok(());
    };
    for (column, heading) in sheet.headers.iter().enumerate() {
        let heading = normalise(heading);
        if heading.is_empty() {
            continue;
        }
        let field = sheet
            .columns
            .iter()
            .find(|(_, chosen)| chosen.is_some_and(|chosen| chosen as usize == column))
            .map(|(field, _)| field.as_str());
        tx.execute(
            "insert into imports.remembered_columns (org_id, template, sheet, heading, field) \
             values ($1, $2, $3, $4, $5) on conflict (org_id, template, sheet, heading) \
             do update set field = excluded.field",
            &[&tx.org_id(), &template, target, &heading, &field],
        )
        .await?;
    }
    Ok(())
}
