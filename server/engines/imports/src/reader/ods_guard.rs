//! Looks an `OpenDocument` spreadsheet over before it is read. Its reader writes out every repeated row and cell, so
//! the rectangles are measured here first; merged cells, which it does not tell, are noted on the way.

use std::collections::HashMap;
use std::io::{BufReader, Read, Seek};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use tenon_sdk::error::Result;
use zip::ZipArchive;

use super::CellRange;
use super::xls_guard::too_wide;
use crate::{Limits, fault};

/// Rows and columns are written out up to these by the reader.
const MAX_ROWS: u64 = 1 << 20;
const MAX_COLUMNS: u64 = 1 << 14;

/// Measures `content.xml`; returns the merged ranges of each sheet by its name.
pub(super) fn inspect<R: Read + Seek>(
    file: &str,
    reader: R,
    limits: &Limits,
) -> Result<HashMap<String, Vec<CellRange>>> {
    let broken = |error: String| fault::malformed(file, error);
    let mut archive = ZipArchive::new(reader).map_err(|error| broken(error.to_string()))?;
    let content = archive
        .by_name("content.xml")
        .map_err(|error| broken(error.to_string()))?;
    let mut xml = Reader::from_reader(BufReader::new(content));
    xml.config_mut().check_end_names = false;
    xml.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    let mut merges: HashMap<String, Vec<CellRange>> = HashMap::new();
    let mut sheet = Sheet::default();
    let mut total = 0;
    loop {
        buffer.clear();
        match xml
            .read_event_into(&mut buffer)
            .map_err(|error| broken(format!("content.xml: {error}.")))?
        {
            Event::Start(tag) => match tag.name().as_ref() {
                "table:table" => {
                    sheet = Sheet {
                        name: text(&tag, "table:name"),
                        ..Sheet::default()
                    };
                }
                "table:table-row" => {
                    sheet.columns = 0;
                    sheet.blanks = 0;
                    sheet.repeat = number(&tag, "table:number-rows-repeated");
                    sheet.filled = false;
                }
                "table:table-cell" | "table:covered-table-cell" => sheet.cell(&tag),
                "text:p" => sheet.content(),
                _ => {}
            },
            Event::End(tag) => match tag.name().as_ref() {
                "table:table-row" => sheet.end_row(),
                "table:table" => {
                    total += sheet.area();
                    if !sheet.merges.is_empty() {
                        merges.insert(std::mem::take(&mut sheet.name), std::mem::take(&mut sheet.merges));
                    }
                }
                _ => {}
            },
            Event::Eof => return Ok(merges),
            _ => {}
        }
        // Cells are first held once for each stored row, then written out as a rectangle.
        if total + sheet.area() > limits.dense_cells || sheet.held > limits.dense_cells {
            return Err(too_wide(file, limits));
        }
    }
}

#[derive(Default)]
struct Sheet {
    name: String,
    /// Rows before the current one.
    rows: u64,
    /// Cells of the current row up to the last filled one, and blanks since.
    columns: u64,
    blanks: u64,
    /// How often the current cell, the current row repeats.
    cell_repeat: u64,
    repeat: u64,
    filled: bool,
    /// First and last filled row, widest filled column.
    first: Option<u64>,
    last: u64,
    widest: u64,
    /// Cells the reader holds before writing them out.
    held: u64,
    merges: Vec<CellRange>,
}

impl Sheet {
    fn cell(&mut self, tag: &BytesStart<'_>) {
        self.cell_repeat = number(tag, "table:number-columns-repeated");
        let (down, across) = (
            number(tag, "table:number-rows-spanned"),
            number(tag, "table:number-columns-spanned"),
        );
        if (down > 1 || across > 1) && self.rows < MAX_ROWS {
            let clamp = |at: u64, limit: u64| u32::try_from(at.min(limit)).unwrap_or(u32::MAX);
            let column = self.columns + self.blanks;
            self.merges.push(CellRange {
                first_row: clamp(self.rows + 1, MAX_ROWS),
                last_row: clamp(self.rows + down, MAX_ROWS),
                first_column: clamp(column, MAX_COLUMNS),
                last_column: clamp(column + across - 1, MAX_COLUMNS),
            });
        }
        self.blanks = (self.blanks + self.cell_repeat).min(MAX_COLUMNS);
        let has = |key: &str| tag.try_get_attribute(key).ok().flatten().is_some();
        if has("office:value-type")
            || has("table:formula")
            || has("office:value")
            || has("office:string-value")
        {
            self.content();
        }
    }

    /// The current cell is filled.
    fn content(&mut self) {
        self.columns = (self.columns + self.blanks).min(MAX_COLUMNS);
        self.blanks = 0;
        self.filled = true;
    }

    fn end_row(&mut self) {
        if self.filled {
            self.held += self.columns;
            self.first.get_or_insert(self.rows);
            self.last = (self.rows + self.repeat).min(MAX_ROWS);
            self.widest = self.widest.max(self.columns);
        }
        self.rows = (self.rows + self.repeat).min(MAX_ROWS);
    }

    fn area(&self) -> u64 {
        self.first
            .map_or(0, |first| self.last.saturating_sub(first).max(1) * self.widest)
    }
}

fn text(tag: &BytesStart<'_>, key: &str) -> String {
    tag.try_get_attribute(key)
        .ok()
        .flatten()
        .map(|found| {
            found
                .normalized_value(XmlVersion::Implicit1_0)
                .unwrap_or(found.value.clone())
                .into_owned()
        })
        .unwrap_or_default()
}

/// A count that defaults to one.
fn number(tag: &BytesStart<'_>, key: &str) -> u64 {
    tag.try_get_attribute(key)
        .ok()
        .flatten()
        .and_then(|found| found.value.parse().ok())
        .unwrap_or(1)
}
