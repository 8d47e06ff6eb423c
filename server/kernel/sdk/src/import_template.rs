//! The capability of importing: an app registers a template, the import engine does the rest.
//!
//! The engine reads the file, matches its columns with the template's fields, parses and stages every row, and then asks
//! the template, inside one transaction, to move what was accepted into its own tables.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    db::TenantTx,
    error::Result,
    imports::{ImportRow, Seen, SheetSpec, TemplateSpec},
};

/// The rows of an import that no issue refuses, batch by batch: sheets in the template's order, rows in the sheet's.
#[async_trait::async_trait]
pub trait AcceptedRows: Send {
    /// The next rows, at least one and all of one sheet; `None` after the last.
    async fn next(&mut self) -> Result<Option<AcceptedBatch>>;
}

/// Some accepted rows of one sheet.
#[derive(Debug)]
pub struct AcceptedBatch {
    /// The sheet of the template.
    pub sheet: &'static SheetSpec,
    /// Its rows, in the order of the sheet.
    pub rows: Vec<ImportRow>,
}

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

    /// Moves the accepted rows into the app's tables with set-based statements and evaluates what they changed (figures,
    /// alerts, events), all in the caller's transaction. Gives a summary for people.
    async fn commit(&self, tx: &TenantTx, import: Uuid, rows: &mut dyn AcceptedRows) -> Result<Value>;

    /// Takes the whole import back, or says what depends on it.
    async fn undo(&self, tx: &TenantTx, import: Uuid) -> Result<()>;

    /// A number that changes whenever data that validation looked at changes.
    async fn target_version(&self, tx: &TenantTx) -> Result<i64>;
}
