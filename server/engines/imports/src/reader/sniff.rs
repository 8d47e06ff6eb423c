//! What a file is, told from its first bytes; its name is only used to remark on a difference.

use std::fmt;
use std::path::Path;

use tenon_sdk::error::{Error, Result};

use crate::fault;

/// A kind of file the engine reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Excel workbook (Office Open XML).
    Xlsx,
    /// Excel binary workbook.
    Xlsb,
    /// Excel 5.0 to 2003 workbook.
    Xls,
    /// `OpenDocument` spreadsheet.
    Ods,
    /// Delimited text.
    Text,
}

impl Format {
    /// Extensions that files of this format carry.
    fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Xlsx => &["xlsx", "xlsm", "xltx", "xltm"],
            Self::Xlsb => &["xlsb"],
            Self::Xls => &["xls", "xlt", "xla"],
            Self::Ods => &["ods", "ots"],
            Self::Text => &["csv", "tsv", "tab", "txt", "psv"],
        }
    }

    /// Whether a file of this format may carry this name. A name without an extension may carry anything.
    pub(super) fn suits(self, name: &str) -> bool {
        Path::new(name).extension().is_none_or(|found| {
            self.extensions()
                .iter()
                .any(|known| found.eq_ignore_ascii_case(known))
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Xlsx => "an Excel workbook (XLSX)",
            Self::Xlsb => "an Excel binary workbook (XLSB)",
            Self::Xls => "an old Excel workbook (XLS)",
            Self::Ods => "an OpenDocument spreadsheet (ODS)",
            Self::Text => "delimited text",
        })
    }
}

/// The container a file is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Zip,
    Ole,
    Text,
}

/// Starts of files that people mistake for spreadsheets, and what to call them.
const OTHERS: &[(&[u8], &str)] = &[
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"{\\rtf", "an RTF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3\0", "a database"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"PAR1", "a Parquet file"),
];

/// Tells the container from the file's start (4 KiB are enough).
pub(super) fn container(name: &str, start: &[u8]) -> Result<Container> {
    if start.is_empty() {
        return Err(
            fault::unreadable("imports.file_empty", format!("{name} is empty: it has no bytes."))
                .hint("Upload the file again; if it stays empty, export it again."),
        );
    }
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return Ok(Container::Zip);
    }
    if start.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Ok(Container::Ole);
    }
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
        // "MZ" may begin a text too; a program has control bytes soon after.
        if *what != "a program" || has_control_bytes(start) {
            return Err(not_a_spreadsheet(name, what));
        }
    }
    let text = start
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(start)
        .trim_ascii_start();
    let head = text[..text.len().min(1024)].to_ascii_lowercase();
    if head.starts_with(b"<") {
        let holds = |word: &[u8]| memchr::memmem::find(&head, word).is_some();
        if holds(b"urn:schemas-microsoft-com:office:spreadsheet") {
            return Err(not_a_spreadsheet(name, "an XML spreadsheet of Excel 2003"));
        }
        if holds(b"<html") || holds(b"<!doctype html") || holds(b"<table") || holds(b"<head") {
            return Err(not_a_spreadsheet(name, "a web page"));
        }
        if head.starts_with(b"<?xml") {
            return Err(not_a_spreadsheet(name, "an XML document"));
        }
    }
    if head.starts_with(b"{\"") || head.starts_with(b"[{") || head.starts_with(b"{\n") {
        return Err(not_a_spreadsheet(name, "a JSON document"));
    }
    let wide = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") || looks_utf16(start);
    if !wide && has_control_bytes(start) {
        return Err(not_a_spreadsheet(name, "not a format that can be read"));
    }
    Ok(Container::Text)
}

/// The error for something that is no spreadsheet.
pub(super) fn not_a_spreadsheet(name: &str, what: &str) -> Error {
    fault::unreadable(
        "imports.file_not_recognised",
        format!("{name} is not a spreadsheet: it is {what}."),
    )
    .hint("Save it as an Excel workbook (XLSX) or as CSV and upload that.")
}

/// Whether bytes occur that no text holds.
fn has_control_bytes(start: &[u8]) -> bool {
    start.iter().any(|byte| matches!(byte, 0..=8 | 14..=25 | 28..=31))
}

/// UTF-16 without a byte order mark: nearly every second byte of a Western text is zero.
pub(super) fn looks_utf16(start: &[u8]) -> bool {
    let pairs = start.len() / 2;
    let zeros = |offset: usize| {
        start
            .iter()
            .skip(offset)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    pairs >= 4 && {
        let (even, odd) = (zeros(0), zeros(1));
        (even == 0 && odd * 10 >= pairs * 7) || (odd == 0 && even * 10 >= pairs * 7)
    }
}
