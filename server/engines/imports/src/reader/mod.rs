//! Opens a file by its content and streams the rows of its visible worksheets.
//!
//! What it is called does not matter. Everything a file can do to a reader (passwords, damage, bombs, absurd sizes)
//! ends in an error that names the file, sheet or cell; panics of third-party readers are caught. XLSX and XLSB stream
//! from the file; XLS and ODS are held whole, after their size has been measured; text is held as it is.

mod archive;
mod cell;
mod excel;
mod ods_guard;
mod rows;
mod scan;
mod sniff;
mod text;
mod xls_guard;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use calamine::{Ods, Xls, Xlsb, Xlsx};
use tenon_sdk::error::Result;

pub use cell::{Cell, cell_name, column_name, number_text};
pub(crate) use excel::is_error_text;
pub use sniff::Format;

use crate::{Limits, fault};
use rows::Sink;

/// Anything a workbook can be read from.
trait Readable: Read + Seek + Send + Sync {}
impl<T: Read + Seek + Send + Sync> Readable for T {}
type Input = Box<dyn Readable>;

/// Where a file's bytes are. Cheap to read from more than once.
enum Source {
    Path(PathBuf),
    Memory(Bytes),
}

impl Source {
    fn open(&self) -> std::io::Result<Input> {
        Ok(match self {
            Self::Path(path) => Box::new(BufReader::new(File::open(path)?)),
            Self::Memory(bytes) => Box::new(Cursor::new(bytes.clone())),
        })
    }

    fn size(&self) -> std::io::Result<u64> {
        match self {
            Self::Path(path) => Ok(std::fs::metadata(path)?.len()),
            Self::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    fn into_bytes(self) -> std::io::Result<Bytes> {
        match self {
            Self::Path(path) => std::fs::read(path).map(Bytes::from),
            Self::Memory(bytes) => Ok(bytes),
        }
    }
}

/// A rectangle of cells: rows counted from 1, columns from 0, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellRange {
    /// First row.
    pub first_row: u32,
    /// Last row.
    pub last_row: u32,
    /// First column.
    pub first_column: u32,
    /// Last column.
    pub last_column: u32,
}

impl std::fmt::Display for CellRange {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let from = cell_name(self.first_row, self.first_column);
        write!(out, "{from}:{}", cell_name(self.last_row, self.last_column))
    }
}

/// Why a sheet is not offered for import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOutReason {
    /// It is hidden (also if it cannot be shown from the menus).
    Hidden,
    /// It is a chart, dialogue or macro sheet.
    NotAWorksheet,
}

impl std::fmt::Display for LeftOutReason {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Hidden => "it is hidden",
            Self::NotAWorksheet => "it is not a worksheet",
        })
    }
}

/// A sheet that is not offered for import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: LeftOutReason,
}

/// Something worth telling about the file as a whole or one of its sheets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Stable snake-case reason.
    pub code: &'static str,
    /// The sheet, unless it concerns the file.
    pub sheet: Option<String>,
    /// One sentence for people.
    pub message: String,
}

enum Inner {
    Xlsx(Box<Xlsx<Input>>),
    Xlsb(Box<Xlsb<Input>>),
    Xls(Box<Xls<Input>>),
    Ods(Box<Ods<Input>>),
    Text(text::TextFile),
}

/// An open file of any readable format.
pub struct Workbook {
    file: String,
    format: Format,
    sheets: Vec<String>,
    left_out: Vec<LeftOut>,
    notices: Vec<Notice>,
    merges: Option<HashMap<String, Vec<CellRange>>>,
    limits: Limits,
    inner: Inner,
}

impl std::fmt::Debug for Workbook {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Workbook")
            .field("file", &self.file)
            .field("format", &self.format)
            .field("sheets", &self.sheets)
            .finish_non_exhaustive()
    }
}

impl Workbook {
    /// Opens a file on disk. `name` is what the person called it and appears in messages.
    ///
    /// Errors: `imports.file_*`, `imports.too_many_sheets`, `imports.sheet_too_large`, `imports.no_sheets`.
    pub fn from_path(path: impl AsRef<Path>, name: &str, limits: &Limits) -> Result<Self> {
        Self::open(Source::Path(path.as_ref().to_owned()), name, limits)
    }

    /// Opens a file held in memory. Otherwise as [`Workbook::from_path`].
    pub fn from_bytes(bytes: impl Into<Bytes>, name: &str, limits: &Limits) -> Result<Self> {
        Self::open(Source::Memory(bytes.into()), name, limits)
    }

    fn open(source: Source, name: &str, limits: &Limits) -> Result<Self> {
        let unreadable = |error: std::io::Error| fault::malformed(name, error.to_string());
        let size = source.size().map_err(unreadable)?;
        if size > limits.file_bytes {
            return Err(fault::too_large(
                "imports.file_too_large",
                format!("{name} has {size} bytes; at most {} are read.", limits.file_bytes),
            )
            .hint("Split it, or save only the sheets that are needed."));
        }
        let mut start = Vec::new();
        source
            .open()
            .and_then(|input| input.take(4096).read_to_end(&mut start))
            .map_err(unreadable)?;
        let opened = guarded(name, || match sniff::container(name, &start)? {
            sniff::Container::Text => Ok(text::open(name, &source.into_bytes().map_err(unreadable)?).into()),
            sniff::Container::Zip => excel::open_zip(name, &source, limits),
            sniff::Container::Ole => excel::open_ole(name, &source, limits),
        })?;
        let mut notices = opened.notices;
        if !opened.format.suits(name) {
            notices.push(Notice {
                code: "extension_differs",
                sheet: None,
                message: format!(
                    "{name} is {}, whatever its name says; it was read as that.",
                    opened.format
                ),
            });
        }
        if opened.sheets.len() + opened.left_out.len() > limits.sheets {
            return Err(fault::too_large(
                "imports.too_many_sheets",
                format!(
                    "{name} has {} sheets; at most {} are read.",
                    opened.sheets.len(),
                    limits.sheets
                ),
            ));
        }
        if opened.sheets.is_empty() {
            return Err(fault::unreadable(
                "imports.no_sheets",
                format!("{name} has no visible worksheet to import."),
            )
            .hint("Unhide the sheet that holds the data."));
        }
        Ok(Self {
            file: name.to_owned(),
            format: opened.format,
            sheets: opened.sheets,
            left_out: opened.left_out,
            notices,
            merges: opened.merges,
            limits: limits.clone(),
            inner: opened.inner,
        })
    }

    /// What the person called the file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What the file is.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Names of the visible worksheets, in the order of the file. Text files have one, named after the file.
    pub fn sheets(&self) -> &[String] {
        &self.sheets
    }

    /// Sheets that are not offered: hidden ones, charts.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// What is worth telling about the file.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Position of the visible sheet with this name.
    pub fn sheet_index(&self, name: &str) -> Option<usize> {
        self.sheets.iter().position(|sheet| sheet == name)
    }

    /// Calls `visit` with every row that has content: its number as the sheet shows it, from 1, and its cells from
    /// column A to the last one with content. Rows come in ascending order; stops early on `Break`.
    ///
    /// Errors: `imports.file_malformed`, `imports.too_many_rows`, `imports.too_many_columns`,
    /// `imports.cell_too_large`; rows before the fault have been visited.
    ///
    /// # Panics
    /// Only if `visit` does, or if `sheet` is out of range.
    pub fn for_each_row<F>(&mut self, sheet: usize, visit: F) -> Result<()>
    where
        F: FnMut(u32, &[Cell<'_>]) -> ControlFlow<()>,
    {
        let name = &self.sheets[sheet];
        let mut sink = Sink::new(&self.file, name, &self.limits, visit);
        let visiting = sink.visiting.clone();
        let run = AssertUnwindSafe(|| match &mut self.inner {
            Inner::Xlsx(book) => excel::xlsx_rows(book, name, &mut sink),
            Inner::Xlsb(book) => excel::xlsb_rows(book, name, &mut sink),
            Inner::Xls(book) => excel::whole_rows(book.as_mut(), name, &mut sink),
            Inner::Ods(book) => excel::whole_rows(book.as_mut(), name, &mut sink),
            Inner::Text(text) => text.rows(&mut sink),
        });
        match catch_unwind(run) {
            Ok(result) => result,
            Err(panic) if visiting.get() => std::panic::resume_unwind(panic),
            Err(_) => Err(fault::malformed(
                &self.file,
                format!("The sheet {name} cannot be read."),
            )),
        }
    }

    /// Merged ranges of a sheet. Cells of a range other than the first are empty. XLSB does not tell its ranges.
    pub fn merged_ranges(&mut self, sheet: usize) -> Result<Vec<CellRange>> {
        let name = &self.sheets[sheet];
        let Some(known) = &self.merges else {
            return Ok(Vec::new());
        };
        if let Some(ranges) = known.get(name) {
            return Ok(ranges.clone());
        }
        let ranges = guarded(&self.file, || excel::merged(&mut self.inner, &self.file, name))?;
        self.merges
            .get_or_insert_default()
            .insert(name.clone(), ranges.clone());
        Ok(ranges)
    }
}

/// Runs a third-party reader; a panic of it means a damaged file.
fn guarded<T>(file: &str, read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(fault::malformed(file, "Its structure contradicts itself.")))
}
