//! Looks an old Excel workbook over before it is read. Its reader holds every sheet as a full rectangle and trusts
//! the file's chains of sectors, so both are measured here first.

use std::io::{Read, Seek};

use tenon_sdk::error::{Error, Result};

use super::sniff;
use crate::{Limits, fault};

/// Largest table of shared texts, in bytes; a short text takes eight times its size in memory.
const TEXT_BYTES: u64 = 24 << 20;

const FILE_PASS: u16 = 0x002f;
const BEGINNING: u16 = 0x0809;
const TEXTS: u16 = 0x00fc;
const CONTINUE: u16 = 0x003c;
/// Records that begin with a row and a column: FORMULA, NUMBER, LABEL, BOOLERR, RK, RSTRING, LABELSST.
const CELLS: &[u16] = &[0x0006, 0x0203, 0x0204, 0x0205, 0x027e, 0x00d6, 0x00fd];
/// A run of numbers in one row.
const RUN: u16 = 0x00bd;

/// Refuses what is no workbook, is protected, or would not fit in memory.
pub(super) fn inspect<R: Read + Seek>(file: &str, reader: R, limits: &Limits) -> Result<()> {
    let broken =
        |error: std::io::Error| fault::malformed(file, format!("Its compound file is broken: {error}."));
    let mut compound = cfb::CompoundFile::open(reader).map_err(broken)?;
    let names: Vec<String> = compound
        .read_root_storage()
        .filter(cfb::Entry::is_stream)
        .map(|entry| entry.name().to_owned())
        .collect();
    let find = |wanted: &str| {
        names
            .iter()
            .find(|name| name.eq_ignore_ascii_case(wanted))
            .cloned()
    };
    if find("EncryptedPackage").is_some() {
        return Err(fault::encrypted(file));
    }
    let Some(name) = find("Workbook").or_else(|| find("Book")) else {
        let what = if find("WordDocument").is_some() {
            "a Word document"
        } else if find("PowerPoint Document").is_some() {
            "a PowerPoint presentation"
        } else {
            "an Office file without a workbook in it"
        };
        return Err(sniff::not_a_spreadsheet(file, what));
    };
    let mut stream = compound.open_stream(format!("/{name}")).map_err(broken)?;
    if stream.len() > limits.file_bytes {
        return Err(fault::malformed(
            file,
            "Its workbook claims to be larger than the file.",
        ));
    }
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).map_err(broken)?;
    walk(file, &bytes, limits)
}

fn walk(file: &str, mut rest: &[u8], limits: &Limits) -> Result<()> {
    let (mut texts, mut previous) = (0, 0);
    let mut area = Area::default();
    let mut cells = 0;
    while let [t0, t1, l0, l1, body @ ..] = rest {
        let kind = u16::from_le_bytes([*t0, *t1]);
        let length = usize::from(u16::from_le_bytes([*l0, *l1]));
        let Some(record) = body.get(..length) else {
            break; // the reader says what is wrong with a record that is cut off
        };
        rest = &body[length..];
        match kind {
            FILE_PASS => return Err(fault::encrypted(file)),
            BEGINNING => {
                cells += area.cells();
                area = Area::default();
            }
            TEXTS => texts += length as u64,
            CONTINUE if previous == TEXTS => texts += length as u64,
            RUN => {
                area.add(record.get(..4));
                area.add_column(record.len().checked_sub(2).and_then(|at| record.get(at..)));
            }
            kind if CELLS.contains(&kind) => area.add(record.get(..4)),
            _ => {}
        }
        if kind != CONTINUE {
            previous = kind;
        }
        if texts > TEXT_BYTES || cells + area.cells() > limits.dense_cells {
            return Err(too_wide(file, limits));
        }
    }
    Ok(())
}

/// The error for sheets whose content spans too large a rectangle.
pub(super) fn too_wide(file: &str, limits: &Limits) -> Error {
    fault::too_large(
        "imports.sheet_too_large",
        format!("{file} is too large for its format."),
    )
    .details(format!(
        "Its sheets span more than {} cells in this format.",
        limits.dense_cells
    ))
    .hint("Save it as XLSX, which is read piece by piece, and upload that.")
}

/// The rectangle of a sheet's cells.
#[derive(Default)]
struct Area {
    rows: Option<(u16, u16)>,
    columns: Option<(u16, u16)>,
}

impl Area {
    fn add(&mut self, place: Option<&[u8]>) {
        if let Some([r0, r1, c0, c1]) = place {
            stretch(&mut self.rows, u16::from_le_bytes([*r0, *r1]));
            stretch(&mut self.columns, u16::from_le_bytes([*c0, *c1]));
        }
    }

    fn add_column(&mut self, place: Option<&[u8]>) {
        if let Some([c0, c1]) = place {
            stretch(&mut self.columns, u16::from_le_bytes([*c0, *c1]));
        }
    }

    fn cells(&self) -> u64 {
        let span = |range: Option<(u16, u16)>| range.map_or(0, |(low, high)| u64::from(high - low) + 1);
        span(self.rows) * span(self.columns)
    }
}

fn stretch(range: &mut Option<(u16, u16)>, at: u16) {
    let (low, high) = range.unwrap_or((at, at));
    *range = Some((low.min(at), high.max(at)));
}
