//! The capability of importing: an app registers a template, the import engine does the rest.
//!
//! The engine reads the file, matches its columns with the template's fields, parses and stages every row, and then asks
//! the template, inside one transaction, to move what was accepted into its own tables. Accepted rows are found in the
//! view `imports.accepted_rows(org_id, import_id, sheet, row_no, id, vals)`, where `vals` holds one canonical text a
//! field in the template's order (decimals plain, dates as ISO 8601) and NULL for an empty cell.

use std::ops::RangeInclusive;

use serde_json::Value;
use uuid::Uuid;

use crate::{
    db::TenantTx,
    error::Result,
    imports::{ImportRow, Seen, SheetSpec, TemplateSpec},
};

/// What an app brings to be importable.
#[async_trait::async_trait]
pub trait ImportTemplate: Send + Sync {
    /// Its sheets and fields.
    fn spec(&self) -> &'static TemplateSpec;

    /// Rules across the fields of one row; adds issues to it. Pure.
    fn check_row(&self, sheet: &SheetSpec, row: &mut ImportRow);

    /// Rules against the database and against earlier rows of the file, for a batch of rows; adds issues and notes in
    /// `seen` what later rows may refer to.
    async fn check_batch(
        &self,
        tx: &TenantTx,
        sheet: &SheetSpec,
        rows: &mut [ImportRow],
        seen: &mut Seen,
    ) -> Result<()>;

    /// Moves the accepted rows of a range of row numbers into the app's tables with set-based statements. Gives the
    /// number of rows that arrived.
    async fn commit_batch(
        &self,
        tx: &TenantTx,
        import: Uuid,
        sheet: &SheetSpec,
        rows: RangeInclusive<u32>,
    ) -> Result<u64>;

    /// Evaluates what the import changed (figures, alerts, events) in the same transaction. Gives a summary for people.
    async fn finish(&self, tx: &TenantTx, import: Uuid) -> Result<Value>;

    /// Takes the whole import back, or says what depends on it.
    async fn undo(&self, tx: &TenantTx, import: Uuid) -> Result<()>;

    /// A number that changes whenever data that validation looked at changes.
    async fn target_version(&self, tx: &TenantTx) -> Result<i64>;
}
