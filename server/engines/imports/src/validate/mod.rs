//! Streams the rows of a mapped file as checked rows of a template, in batches.
//!
//! Every cell is parsed and every row checked for what the file alone can tell: missing and malformed values,
//! duplicates within the file, merged cells. What concerns several fields or the database is the app's to add.

mod mapping;
mod sheet;

use std::ops::ControlFlow;

use tenon_sdk::error::Result;
use tenon_sdk::imports::{ImportRow, SheetSpec, TemplateSpec, Value};
use uuid::Uuid;

pub use mapping::{Mapping, Planned, SheetMapping};

use crate::Workbook;
use crate::reader::Notice;
use crate::values::ColumnRules;

/// Rows in a batch.
pub const BATCH: usize = 5_000;

/// A row with the text that was found in its cells.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedRow {
    /// The row as the app sees it.
    pub row: ImportRow,
    /// Cells whose text is not the canonical text of their value: position of the field, text as found.
    /// Kept for people to read; most rows have none.
    pub originals: Vec<(u16, Box<str>)>,
}

impl CheckedRow {
    /// The text that was found for the field at this position.
    pub fn found(&self, field: usize) -> String {
        match self
            .originals
            .iter()
            .find(|(position, _)| usize::from(*position) == field)
        {
            Some((_, text)) => text.to_string(),
            None => self
                .row
                .values
                .get(field)
                .and_then(Value::canonical)
                .unwrap_or_default()
                .into_owned(),
        }
    }
}

/// Some rows of one sheet, in the order of the sheet.
#[derive(Debug)]
pub struct Batch {
    /// Name of the sheet in the file.
    pub sheet: String,
    /// What it feeds.
    pub spec: &'static SheetSpec,
    /// At most [`BATCH`] rows.
    pub rows: Vec<CheckedRow>,
}

/// What became of one sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetReport {
    /// Name of the sheet in the file.
    pub sheet: String,
    /// Key of what it feeds.
    pub target: &'static str,
    /// Rows checked; blank rows and repeated headings do not count.
    pub rows: u64,
    /// Rows without an error.
    pub accepted: u64,
    /// Rows with an error.
    pub refused: u64,
    /// Accepted rows with a warning.
    pub warnings: u64,
    /// How each field's column was read.
    pub rules: Vec<ColumnRules>,
    /// What is worth telling about the sheet as a whole.
    pub notices: Vec<Notice>,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Its sheets, in the template's order.
    pub sheets: Vec<SheetReport>,
    /// Whether the receiver of batches stopped early.
    pub stopped: bool,
}

/// Checks the mapped sheets in the template's order and hands their rows to `take` in batches; `Break` stops.
///
/// Ids come from `new_id`, one for each row, in order. Errors: those of [`Mapping::plan`] and
/// [`Workbook::for_each_row`]; batches handed over before the error stay handed over.
pub fn validate(
    workbook: &mut Workbook,
    spec: &'static TemplateSpec,
    mapping: &Mapping,
    mut new_id: impl FnMut() -> Uuid,
    mut take: impl FnMut(Batch) -> ControlFlow<()>,
) -> Result<Report> {
    let mut report = Report::default();
    for plan in mapping.plan(workbook, spec)? {
        let (sheet, flow) = sheet::check(workbook, &plan, &mut new_id, &mut take)?;
        report.sheets.push(sheet);
        if flow.is_break() {
            report.stopped = true;
            break;
        }
    }
    Ok(report)
}
