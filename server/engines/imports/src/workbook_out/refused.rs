//! The refused rows of an import, to correct and upload again.

use rust_xlsxwriter::{Color, Format, Note, Workbook, Worksheet, XlsxError};
use tenon_sdk::error::Result;
use tenon_sdk::imports::{Issue, Level, SheetSpec};

use super::{MAX_ROWS, failed, fitting, heading, sheet_name};

/// Notes on one sheet; beyond that spreadsheet programs become slow, and the column of reasons says the same.
const MOST_NOTES: usize = 5_000;

/// A refused row as it is written.
#[derive(Debug, Clone)]
pub struct RefusedRow<'r> {
    /// Row number in the uploaded sheet.
    pub number: u32,
    /// Text as found, in the order of the template's fields.
    pub cells: &'r [String],
    /// Why it was refused; warnings are listed too.
    pub issues: &'r [Issue],
}

/// Writes sheet after sheet, row after row.
pub struct RefusedWorkbook {
    workbook: Workbook,
    sheets: Vec<Open>,
    formats: Formats,
}

struct Formats {
    heading: Format,
    error: Format,
    warning: Format,
    reasons: Format,
}

struct Open {
    spec: &'static SheetSpec,
    next: u32,
    notes: usize,
}

impl Default for RefusedWorkbook {
    fn default() -> Self {
        let colour = |rgb| Format::new().set_background_color(Color::RGB(rgb));
        Self {
            workbook: Workbook::new(),
            sheets: Vec::new(),
            formats: Formats {
                heading: heading(),
                error: colour(0x00FF_C7CE),
                warning: colour(0x00FF_EB9C),
                reasons: Format::new().set_text_wrap(),
            },
        }
    }
}

impl RefusedWorkbook {
    /// Begins a sheet; the rows that follow go there. Its headings are the template's labels, so the corrected
    /// workbook can be uploaded as it is.
    pub fn sheet(&mut self, spec: &'static SheetSpec) -> Result<()> {
        let sheet = self.workbook.add_worksheet();
        head(sheet, spec, &self.formats).map_err(failed)?;
        self.sheets.push(Open {
            spec,
            next: 1,
            notes: 0,
        });
        Ok(())
    }

    /// Adds a row to the sheet begun last; rows beyond what a sheet can hold are left out.
    pub fn row(&mut self, row: &RefusedRow<'_>) -> Result<()> {
        let last = self.sheets.len().saturating_sub(1);
        let Some(open) = self.sheets.last_mut().filter(|open| open.next <= MAX_ROWS) else {
            return Ok(());
        };
        let sheet = self.workbook.worksheet_from_index(last).map_err(failed)?;
        write(sheet, open, row, &self.formats).map_err(failed)
    }

    /// The finished workbook.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        if self.sheets.is_empty() {
            let sheet = self.workbook.add_worksheet();
            sheet.write_string(0, 0, "No row was refused.").map_err(failed)?;
        }
        self.workbook.save_to_buffer().map_err(failed)
    }
}

fn head(sheet: &mut Worksheet, spec: &SheetSpec, formats: &Formats) -> Result<(), XlsxError> {
    sheet.set_name(sheet_name(spec.title))?;
    let titles = spec
        .fields
        .iter()
        .map(|field| field.label)
        .chain(["Row in the file", "Reasons"]);
    for (column, title) in (0_u16..).zip(titles) {
        sheet.write_string_with_format(0, column, title, &formats.heading)?;
        sheet.set_column_width(column, if title == "Reasons" { 80.0 } else { 20.0 })?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn write(
    sheet: &mut Worksheet,
    open: &mut Open,
    row: &RefusedRow<'_>,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let at = open.next;
    let mut column = 0;
    for (index, field) in open.spec.fields.iter().enumerate() {
        let text = fitting(row.cells.get(index).map_or("", String::as_str));
        let issues = || row.issues.iter().filter(|issue| issue.field == Some(field.key));
        match issues().map(|issue| issue.level).max() {
            Some(level) if level > Level::Info => {
                let format = if level == Level::Error {
                    &formats.error
                } else {
                    &formats.warning
                };
                sheet.write_string_with_format(at, column, text, format)?;
                if open.notes < MOST_NOTES {
                    open.notes += 1;
                    sheet.insert_note(
                        at,
                        column,
                        &Note::new(join(issues(), "\n")).add_author_prefix(false),
                    )?;
                }
            }
            _ if text.is_empty() => {}
            _ => {
                sheet.write_string(at, column, text)?;
            }
        }
        column += 1;
    }
    sheet.write_number(at, column, row.number)?;
    let reasons = join(row.issues.iter(), "; ");
    sheet.write_string_with_format(at, column + 1, fitting(&reasons), &formats.reasons)?;
    open.next += 1;
    Ok(())
}

fn join<'i>(issues: impl Iterator<Item = &'i Issue>, between: &str) -> String {
    let messages: Vec<&str> = issues
        .filter(|issue| issue.level > Level::Info)
        .map(|issue| issue.message.as_str())
        .collect();
    messages.join(between)
}
