//! Workbooks, by way of `calamine`: cells of XLSX and XLSB as a stream, XLS and ODS from rectangles in memory.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{
    CellErrorType, Data, DataRef, Dimensions, ExcelDateTime, Ods, OdsError, Reader, SheetType, SheetVisible,
    Xls, XlsError, Xlsb, XlsbError, Xlsx, XlsxError,
};
use jiff::civil::DateTime;
use tenon_sdk::error::{Error, Result};

use super::cell::Cell;
use super::rows::{Row, Sink};
use super::sniff::Format;
use super::{CellRange, Inner, LeftOut, LeftOutReason, Notice, Source, archive, ods_guard, xls_guard};
use crate::{Limits, fault};

/// Formulas of a binary workbook that are looked at for missing results.
const MOST_FORMULAS: usize = 4_000_000;

/// A file just opened.
pub(super) struct Opened {
    pub format: Format,
    pub inner: Inner,
    pub sheets: Vec<String>,
    pub left_out: Vec<LeftOut>,
    pub notices: Vec<Notice>,
    /// Merged ranges by sheet as far as known; `None` if there are none.
    pub merges: Option<HashMap<String, Vec<CellRange>>>,
}

/// Opens a workbook in a ZIP archive: XLSX, XLSB or ODS.
pub(super) fn open_zip(file: &str, source: &Source, limits: &Limits) -> Result<Opened> {
    let input = || {
        source
            .open()
            .map_err(|error| fault::malformed(file, error.to_string()))
    };
    let found = archive::inspect(file, input()?, limits)?;
    let (inner, merges) = match found.format {
        Format::Xlsb => {
            let book = Xlsb::new(input()?).map_err(|error| match error {
                XlsbError::Password => fault::encrypted(file),
                error => fault::malformed(file, error.to_string()),
            })?;
            (Inner::Xlsb(Box::new(book)), None)
        }
        Format::Ods => {
            let merges = ods_guard::inspect(file, input()?, limits)?;
            let book = Ods::new(input()?).map_err(|error| match error {
                OdsError::Password => fault::encrypted(file),
                error => fault::malformed(file, error.to_string()),
            })?;
            (Inner::Ods(Box::new(book)), (!merges.is_empty()).then_some(merges))
        }
        _ => {
            let book = Xlsx::new(input()?).map_err(|error| from_xlsx(file, error))?;
            (Inner::Xlsx(Box::new(book)), found.merges.then(HashMap::new))
        }
    };
    Ok(opened(found.format, inner, merges))
}

/// Opens an OLE compound file: XLS, or a protected workbook of any kind.
pub(super) fn open_ole(file: &str, source: &Source, limits: &Limits) -> Result<Opened> {
    let input = || {
        source
            .open()
            .map_err(|error| fault::malformed(file, error.to_string()))
    };
    xls_guard::inspect(file, input()?, limits)?;
    let book = Xls::new(input()?).map_err(|error| match error {
        XlsError::Password => fault::encrypted(file),
        error => fault::malformed(file, error.to_string()),
    })?;
    Ok(opened(
        Format::Xls,
        Inner::Xls(Box::new(book)),
        Some(HashMap::new()),
    ))
}

fn opened(format: Format, inner: Inner, merges: Option<HashMap<String, Vec<CellRange>>>) -> Opened {
    let found = match &inner {
        Inner::Xlsx(book) => book.sheets_metadata(),
        Inner::Xlsb(book) => book.sheets_metadata(),
        Inner::Xls(book) => book.sheets_metadata(),
        Inner::Ods(book) => book.sheets_metadata(),
        Inner::Text(_) => &[],
    };
    let (mut sheets, mut left_out) = (Vec::new(), Vec::new());
    for sheet in found {
        let reason = match (sheet.typ, sheet.visible) {
            (SheetType::WorkSheet, SheetVisible::Visible) => None,
            (SheetType::WorkSheet, _) => Some(LeftOutReason::Hidden),
            _ => Some(LeftOutReason::NotAWorksheet),
        };
        match reason {
            None => sheets.push(sheet.name.clone()),
            Some(reason) => left_out.push(LeftOut {
                name: sheet.name.clone(),
                reason,
            }),
        }
    }
    Opened {
        format,
        inner,
        sheets,
        left_out,
        notices: Vec::new(),
        merges,
    }
}

fn from_xlsx(file: &str, error: XlsxError) -> Error {
    match error {
        XlsxError::Password => fault::encrypted(file),
        error => fault::malformed(file, format!("{error}.")),
    }
}

/// Streams the rows of an XLSX sheet.
pub(super) fn xlsx_rows<F>(book: &mut Xlsx<super::Input>, sheet: &str, sink: &mut Sink<'_, F>) -> Result<()>
where
    F: FnMut(u32, &[Cell<'_>]) -> ControlFlow<()>,
{
    let mut row = Row::new();
    let mut reader = book
        .worksheet_cells_reader(sheet)
        .map_err(|error| sink.broken(0, error))?;
    while let Some(found) = reader
        .next_cell_with_formula_metadata()
        .map_err(|error| sink.broken(row.number(), error))?
    {
        let (at, column) = found.pos;
        let cell = match (found.value, found.formula) {
            (DataRef::Empty, Some(_)) => Cell::Uncalculated,
            (value, _) => from_ref(value),
        };
        if row.put(at.saturating_add(1), column, cell, sink)?.is_break() {
            return Ok(());
        }
    }
    row.finish(sink).map(drop)
}

/// Streams the rows of an XLSB sheet. Its stream leaves formulas with an error out, so those are looked up first.
pub(super) fn xlsb_rows<F>(book: &mut Xlsb<super::Input>, sheet: &str, sink: &mut Sink<'_, F>) -> Result<()>
where
    F: FnMut(u32, &[Cell<'_>]) -> ControlFlow<()>,
{
    let formulas = formula_places(book, sheet);
    let mut formulas = formulas.into_iter().peekable();
    let mut row = Row::new();
    let mut reader = book
        .worksheet_cells_reader(sheet)
        .map_err(|error| sink.broken(0, error))?;
    loop {
        let found = reader
            .next_cell()
            .map_err(|error| sink.broken(row.number(), error))?;
        let here = found.as_ref().map(calamine::Cell::get_position);
        while let Some(&(at, column)) = formulas
            .peek()
            .filter(|formula| here.is_none_or(|here| **formula < here))
        {
            formulas.next();
            if row
                .put(at.saturating_add(1), column, Cell::Uncalculated, sink)?
                .is_break()
            {
                return Ok(());
            }
        }
        let Some(found) = found else { break };
        let (at, column) = found.get_position();
        formulas.next_if(|formula| *formula == (at, column));
        if row
            .put(
                at.saturating_add(1),
                column,
                from_ref(found.get_value().clone()),
                sink,
            )?
            .is_break()
        {
            return Ok(());
        }
    }
    row.finish(sink).map(drop)
}

/// Where an XLSB sheet has formulas, in order. A formula that cannot be understood ends the list: its result still
/// comes with the cells, only an error there looks like a blank.
fn formula_places(book: &mut Xlsb<super::Input>, sheet: &str) -> Vec<(u32, u32)> {
    let mut places = Vec::new();
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let Ok(mut reader) = book.worksheet_cells_reader(sheet) else {
            return;
        };
        while let Ok(Some(found)) = reader.next_formula() {
            if places.len() == MOST_FORMULAS {
                return;
            }
            places.push(found.get_position());
        }
    }));
    places
}

/// Passes on the rows of a sheet that is held in memory.
pub(super) fn whole_rows<F, B>(book: &mut B, sheet: &str, sink: &mut Sink<'_, F>) -> Result<()>
where
    B: Reader<super::Input>,
    B::Error: std::fmt::Display,
    F: FnMut(u32, &[Cell<'_>]) -> ControlFlow<()>,
{
    let formulas: HashSet<(u32, u32)> = {
        let range = book
            .worksheet_formula(sheet)
            .map_err(|error| sink.broken(0, error))?;
        let (top, left) = range.start().unwrap_or_default();
        let place = |row: usize, column: usize| {
            Some((
                top.checked_add(u32::try_from(row).ok()?)?,
                left.checked_add(u32::try_from(column).ok()?)?,
            ))
        };
        range
            .used_cells()
            .filter_map(|(row, column, _)| place(row, column))
            .collect()
    };
    let range = book
        .worksheet_range(sheet)
        .map_err(|error| sink.broken(0, error))?;
    let (top, left) = range.start().unwrap_or_default();
    let mut row = Row::new();
    for (number, cells) in (top..).zip(range.rows()) {
        for (column, value) in (left..).zip(cells) {
            let cell = match value {
                Data::Empty if !formulas.is_empty() && formulas.contains(&(number, column)) => {
                    Cell::Uncalculated
                }
                Data::Empty => continue,
                Data::String(text) if is_error_text(text) && formulas.contains(&(number, column)) => {
                    Cell::Error(Cow::Borrowed(text))
                }
                value => from_data(value),
            };
            if row.put(number + 1, column, cell, sink)?.is_break() {
                return Ok(());
            }
        }
    }
    row.finish(sink).map(drop)
}

/// Merged ranges of one sheet.
pub(super) fn merged(inner: &mut Inner, file: &str, sheet: &str) -> Result<Vec<CellRange>> {
    let found = match inner {
        Inner::Xlsx(book) => book
            .merge_cells_by_sheet_name(sheet)
            .map_err(|error| from_xlsx(file, error))?,
        Inner::Xls(book) => book
            .merge_cells_by_sheet_name(sheet)
            .map_err(|error| fault::malformed(file, error.to_string()))?,
        Inner::Xlsb(_) | Inner::Ods(_) | Inner::Text(_) => Vec::new(),
    };
    Ok(found.into_iter().map(range).collect())
}

fn range(found: Dimensions) -> CellRange {
    CellRange {
        first_row: found.start.0.saturating_add(1),
        last_row: found.end.0.saturating_add(1),
        first_column: found.start.1,
        last_column: found.end.1,
    }
}

fn from_ref(value: DataRef<'_>) -> Cell<'_> {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::Int(number) => from_int(number),
        DataRef::Float(number) => Cell::Number(number),
        DataRef::String(text) | DataRef::DurationIso(text) => Cell::Text(Cow::Owned(text)),
        DataRef::SharedString(text) => Cell::Text(Cow::Borrowed(text)),
        DataRef::Bool(truth) => Cell::Bool(truth),
        DataRef::DateTime(moment) => from_moment(moment),
        DataRef::DateTimeIso(text) => from_iso(&text),
        DataRef::Error(error) => Cell::Error(Cow::Borrowed(error_text(&error))),
    }
}

fn from_data(value: &Data) -> Cell<'_> {
    match value {
        Data::Empty => Cell::Empty,
        Data::Int(number) => from_int(*number),
        Data::Float(number) => Cell::Number(*number),
        Data::String(text) | Data::DurationIso(text) => Cell::Text(Cow::Borrowed(text)),
        Data::Bool(truth) => Cell::Bool(*truth),
        Data::DateTime(moment) => from_moment(*moment),
        Data::DateTimeIso(text) => from_iso(text),
        Data::Error(error) => Cell::Error(Cow::Borrowed(error_text(error))),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "spreadsheets hold doubles; integers come from 30 bits"
)]
fn from_int(number: i64) -> Cell<'static> {
    Cell::Number(number as f64)
}

/// A date where the number is one; times of day and durations stay numbers.
fn from_moment(moment: ExcelDateTime) -> Cell<'static> {
    let number = moment.as_f64();
    if !moment.is_datetime() || number < 1.0 {
        return Cell::Number(number);
    }
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let small = |part: u8| i8::try_from(part).ok();
    let civil = || {
        DateTime::new(
            i16::try_from(year).ok()?,
            small(month)?,
            small(day)?,
            small(hour)?,
            small(minute)?,
            small(second)?,
            0,
        )
        .ok()
    };
    civil().map_or(Cell::Number(number), Cell::Date)
}

fn from_iso(text: &str) -> Cell<'static> {
    match text.trim_end_matches('Z').parse::<DateTime>() {
        Ok(moment) => Cell::Date(moment),
        Err(_) => match text.parse::<jiff::civil::Date>() {
            Ok(date) => Cell::Date(date.into()),
            Err(_) => Cell::Text(Cow::Owned(text.to_owned())),
        },
    }
}

fn error_text(error: &CellErrorType) -> &'static str {
    match error {
        CellErrorType::Div0 => "#DIV/0!",
        CellErrorType::NA => "#N/A",
        CellErrorType::Name => "#NAME?",
        CellErrorType::Null => "#NULL!",
        CellErrorType::Num => "#NUM!",
        CellErrorType::Ref => "#REF!",
        CellErrorType::Value => "#VALUE!",
        CellErrorType::GettingData => "#GETTING_DATA",
    }
}

/// Whether a text is how spreadsheets show an error.
pub(crate) fn is_error_text(text: &str) -> bool {
    let text = text.trim();
    matches!(
        text,
        "#DIV/0!"
            | "#N/A"
            | "#NAME?"
            | "#NULL!"
            | "#NUM!"
            | "#REF!"
            | "#VALUE!"
            | "#GETTING_DATA"
            | "#SPILL!"
            | "#CALC!"
    ) || text
        .strip_prefix("Err:")
        .is_some_and(|code| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit()))
}
