//! Looks a compressed workbook over before it is read: what it is, whether it is protected, and whether any part
//! of it grows beyond the limits. Sizes are measured by decompressing, because declared sizes may lie.

use std::io::{Read, Seek};

use tenon_sdk::error::{Error, Result};
use zip::ZipArchive;
use zip::result::ZipError;

use super::scan::{Records, Scan, Xml};
use super::sniff::{self, Format};
use crate::{Limits, fault};

/// More parts than any workbook has.
const PARTS: usize = 10_000;
/// Largest part that is neither a sheet nor the table of texts.
const SMALL_PART: u64 = 32 << 20;
/// Parts below this size may have any ratio: a sheet of blanks compresses a thousandfold and harms nobody.
const RATIO_FROM: u64 = 64 << 20;

/// What was learnt about an archive.
pub(super) struct Inspection {
    pub format: Format,
    /// Whether some sheet has merged cells.
    pub merges: bool,
}

/// Inspects the archive; the reader is left anywhere.
pub(super) fn inspect<R: Read + Seek>(file: &str, reader: R, limits: &Limits) -> Result<Inspection> {
    let mut archive = ZipArchive::new(reader).map_err(|error| from_zip(file, &error))?;
    if archive.len() > PARTS {
        return Err(expands(file, format!("It has {} parts.", archive.len())));
    }
    let format = format_of(file, &archive)?;
    if format == Format::Ods {
        refuse_encrypted(file, &mut archive)?;
    }
    let mut merges = false;
    let mut total = 0;
    let mut buffer = vec![0; 128 << 10];
    for index in 0..archive.len() {
        let raw = archive
            .by_index_raw(index)
            .map_err(|error| from_zip(file, &error))?;
        if raw.encrypted() {
            return Err(fault::encrypted(file));
        }
        let compressed = raw.compressed_size();
        let name = raw
            .name()
            .map(|name| name.to_ascii_lowercase())
            .map_err(|error| from_zip(file, &error))?;
        if total + raw.size() > limits.decompressed_bytes {
            return Err(expands(
                file,
                format!("The part {name} alone claims {} bytes.", raw.size()),
            ));
        }
        drop(raw);
        let allowed = allowed_size(&name, limits);
        let mut scan = scan_for(&name, format);
        let mut part = archive.by_index(index).map_err(|error| from_zip(file, &error))?;
        let mut size: u64 = 0;
        loop {
            let read = part
                .read(&mut buffer)
                .map_err(|error| fault::malformed(file, format!("{name}: {error}")))?;
            if read == 0 {
                break;
            }
            size += read as u64;
            total += read as u64;
            if size > allowed || total > limits.decompressed_bytes {
                return Err(expands(
                    file,
                    format!("The part {name} has more than {} bytes.", size - 1),
                ));
            }
            if size > RATIO_FROM && size / compressed.max(1) > limits.ratio {
                return Err(expands(
                    file,
                    format!(
                        "The part {name} grows more than {}-fold.",
                        size / compressed.max(1)
                    ),
                ));
            }
            scan.feed(&buffer[..read])
                .map_err(|reason| fault::malformed(file, format!("In the part {name}, {reason}.")))?;
        }
        merges |= scan.merges();
    }
    Ok(Inspection { format, merges })
}

/// An `OpenDocument` file says in its manifest that its parts are encrypted.
fn refuse_encrypted<R: Read + Seek>(file: &str, archive: &mut ZipArchive<R>) -> Result<()> {
    let mut manifest = Vec::new();
    archive
        .by_name("META-INF/manifest.xml")
        .map_err(|error| from_zip(file, &error))?
        .take(SMALL_PART)
        .read_to_end(&mut manifest)
        .map_err(|error| fault::malformed(file, error.to_string()))?;
    if memchr::memmem::find(&manifest, b"encryption-data").is_some() {
        return Err(fault::encrypted(file));
    }
    Ok(())
}

fn format_of<R: Read + Seek>(file: &str, archive: &ZipArchive<R>) -> Result<Format> {
    let names: Vec<String> = archive
        .file_names()
        .filter_map(|name| Some(name.ok()?.to_ascii_lowercase()))
        .collect();
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let ends = |wanted: &str| names.iter().any(|name| name.ends_with(wanted));
    if has("mimetype") && has("content.xml") {
        return Ok(Format::Ods);
    }
    if ends("workbook.bin") {
        return Ok(Format::Xlsb);
    }
    let what = if has("word/document.xml") {
        "a Word document"
    } else if has("ppt/presentation.xml") {
        "a PowerPoint presentation"
    } else if ends(".numbers") || has("index/document.iwa") {
        "an Apple Numbers document"
    } else if has("[content_types].xml") {
        return Ok(Format::Xlsx);
    } else {
        "a ZIP archive without a workbook in it"
    };
    Err(sniff::not_a_spreadsheet(file, what))
}

/// Names are in lower case here.
fn ends_with_any(name: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| name.ends_with(ending))
}

fn allowed_size(name: &str, limits: &Limits) -> u64 {
    let base = name.rsplit('/').next().unwrap_or(name);
    if base.starts_with("sharedstrings") {
        limits.shared_text_bytes
    } else if base.starts_with("sheet") || name.contains("worksheets/") || base == "content.xml" {
        limits.decompressed_bytes
    } else if name.contains("pivotcache") {
        limits.decompressed_bytes / 2
    } else {
        SMALL_PART
    }
}

fn scan_for(name: &str, format: Format) -> Scan {
    if ends_with_any(name, &[".xml", ".rels", ".vml"]) {
        Scan::Xml(Xml::default())
    } else if format == Format::Xlsb
        && ends_with_any(name, &[".bin"])
        && (name.contains("worksheets/sheet") || name.matches('/').count() == 1)
        && name != "xl/vbaproject.bin"
    {
        Scan::Records(Records::default())
    } else {
        Scan::Opaque
    }
}

fn from_zip(file: &str, error: &ZipError) -> Error {
    match error {
        ZipError::UnsupportedArchive(reason) if reason.contains("assword") => fault::encrypted(file),
        error => fault::malformed(file, format!("The archive cannot be read: {error}.")),
    }
}

fn expands(file: &str, details: String) -> Error {
    fault::too_large(
        "imports.file_expands_too_far",
        format!("{file} is far larger inside than it looks."),
    )
    .details(details)
    .hint("Save only the sheets and columns that are needed to a new workbook and upload that.")
}
