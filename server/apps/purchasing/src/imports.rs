//! The import template `purchasing.register`: a workbook of purchase orders and the quantity surveys against them.
//!
//! The engine reads, matches and parses; here is what the columns are (`spec`), what the app refuses (`checks`), and how
//! accepted rows become orders and entries (`commit`) and go again (`undo`).

mod billing;
mod checks;
mod commit;
mod spec;
mod undo;

use serde_json::Value;
use tenon_sdk::import_template::{AcceptedRows, ImportTemplate};
use tenon_sdk::imports::{ImportRow, Seen, SheetSpec, TemplateSpec};
use tenon_sdk::{Result, TenantTx};
use uuid::Uuid;

use crate::commands::plans;
use crate::queries;

/// The register of orders and surveys.
pub struct Register;

#[async_trait::async_trait]
impl ImportTemplate for Register {
    fn spec(&self) -> &'static TemplateSpec {
        &spec::REGISTER
    }

    fn check_row(&self, sheet: &SheetSpec, row: &mut ImportRow) {
        checks::row(sheet, row);
    }

    async fn check_batch(
        &self,
        tx: &TenantTx,
        sheet: &SheetSpec,
        rows: &mut [ImportRow],
        seen: &mut Seen,
    ) -> Result<()> {
        plans::each_time(tx).await?;
        match sheet.key {
            spec::ORDERS => checks::orders(tx, sheet, rows, seen).await?,
            _ => checks::surveys(tx, sheet, rows, seen).await?,
        }
        plans::as_usual(tx).await
    }

    async fn commit(&self, tx: &TenantTx, import: Uuid, rows: &mut dyn AcceptedRows) -> Result<Value> {
        commit::commit(tx, import, rows).await
    }

    async fn undo(&self, tx: &TenantTx, import: Uuid) -> Result<()> {
        undo::undo(tx, import).await
    }

    async fn target_version(&self, tx: &TenantTx) -> Result<i64> {
        Ok(tx
            .query_one(queries::REVISION, &[&tx.org_id()])
            .await?
            .try_get(0)?)
    }
}
