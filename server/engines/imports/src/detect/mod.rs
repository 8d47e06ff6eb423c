//! Finds out which sheet of a file is which sheet of a template, where its headings are, and which column is which.

mod columns;
mod header;
mod normalise;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use tenon_sdk::error::Result;
use tenon_sdk::imports::{SheetSpec, TemplateSpec};

use columns::{Wanted, Word};

pub use columns::{ColumnMatch, Remembered, match_columns};
pub use header::Sample;
pub use normalise::{normalise, without_brackets};

use crate::Workbook;
use crate::validate::{Mapping, SheetMapping};

/// What was found out about one visible sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectedSheet {
    /// Its name.
    pub name: String,
    /// Key of the template's sheet it holds, if any.
    pub target: Option<&'static str>,
    /// Row of the headings, from 1; `None` on a sheet without any.
    pub header_row: Option<u32>,
    /// Headings from column A on.
    pub headings: Vec<String>,
    /// For each field of the target its column; empty without a target.
    pub columns: Vec<ColumnMatch>,
}

impl DetectedSheet {
    /// Required fields of the target without a column, with the headings that come closest.
    pub fn missing(&self, spec: &SheetSpec) -> impl Iterator<Item = &ColumnMatch> {
        self.columns.iter().filter(|found| {
            found.column.is_none() && spec.field(found.field).is_some_and(|field| field.required)
        })
    }

    /// The mapping this finding amounts to.
    pub fn mapping(&self) -> SheetMapping {
        SheetMapping {
            name: self.name.clone(),
            target: self.target.map(str::to_owned),
            header_row: self.header_row,
            columns: self
                .columns
                .iter()
                .map(|found| (found.field.to_owned(), found.column))
                .collect(),
        }
    }
}

/// What was found out about a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Its visible sheets, in the order of the file.
    pub sheets: Vec<DetectedSheet>,
}

impl Detection {
    /// The mapping these findings amount to.
    pub fn mapping(&self) -> Mapping {
        Mapping {
            sheets: self.sheets.iter().map(DetectedSheet::mapping).collect(),
        }
    }
}

/// How well a sheet must fit a template's sheet: some name or at least half of the required fields.
const FIT: f64 = 1.0;

/// Looks at the first rows of every visible sheet. Each sheet of the template is given to at most one sheet of the
/// file, the one that fits best by its headings and its name; a remembered heading counts like an equal one.
pub fn detect(
    workbook: &mut Workbook,
    spec: &'static TemplateSpec,
    remembered: &Remembered,
) -> Result<Detection> {
    let names = workbook.sheets().to_vec();
    let mut samples = Vec::with_capacity(names.len());
    for index in 0..names.len() {
        samples.push(sample(workbook, index)?);
    }
    let wanted: Vec<Wanted<'_>> = spec.sheets.iter().map(Wanted::new).collect();
    let mut fits = Vec::new();
    for (sheet, (name, sample)) in names.iter().zip(&samples).enumerate() {
        for (target, wanted) in wanted.iter().enumerate() {
            let fit = fit(wanted, name, sample, remembered);
            if fit >= FIT {
                fits.push((fit, sheet, target));
            }
        }
    }
    fits.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let (mut taken, mut given) = (BTreeMap::new(), vec![false; spec.sheets.len()]);
    for (_, sheet, target) in fits {
        if !taken.contains_key(&sheet) && !given[target] {
            taken.insert(sheet, target);
            given[target] = true;
        }
    }
    let sheets = names
        .into_iter()
        .zip(&samples)
        .enumerate()
        .map(|(index, (name, sample))| {
            let target = taken.get(&index).map(|target| &spec.sheets[*target]);
            describe(name, sample, target, remembered)
        })
        .collect();
    Ok(Detection { sheets })
}

/// Matches the columns of one sheet anew, for a target and heading row that a person chose.
pub fn detect_sheet(
    workbook: &mut Workbook,
    sheet: usize,
    target: Option<&'static SheetSpec>,
    header_row: Option<u32>,
    remembered: &Remembered,
) -> Result<DetectedSheet> {
    let name = workbook.sheets()[sheet].clone();
    let sample = sample(workbook, sheet)?;
    let mut found = describe(name, &sample, target, remembered);
    if header_row.is_some() && header_row != found.header_row {
        found.header_row = header_row;
        found.headings = header_row
            .and_then(|row| sample.headings(row))
            .unwrap_or_default()
            .to_vec();
        found.columns = target
            .map(|spec| match_columns(spec, &found.headings, remembered))
            .unwrap_or_default();
    }
    Ok(found)
}

/// The first rows of a sheet, to show to a person who chooses the heading row.
pub fn sample(workbook: &mut Workbook, sheet: usize) -> Result<Sample> {
    let mut sample = Sample::default();
    workbook.for_each_row(sheet, |number, cells| {
        if sample.add(number, cells) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(sample)
}

fn describe(
    name: String,
    sample: &Sample,
    target: Option<&'static SheetSpec>,
    remembered: &Remembered,
) -> DetectedSheet {
    let wanted = target.map(Wanted::new);
    let header_row = match &wanted {
        Some(wanted) => sample
            .header_for(wanted, remembered)
            .map(|(row, _)| row)
            .or_else(|| sample.header()),
        None => sample.header(),
    };
    let headings = header_row
        .and_then(|row| sample.headings(row))
        .unwrap_or_default()
        .to_vec();
    let columns = wanted
        .map(|wanted| sample.match_columns(&wanted, header_row.unwrap_or(0), remembered))
        .unwrap_or_default();
    DetectedSheet {
        name,
        target: target.map(|spec| spec.key),
        header_row,
        headings,
        columns,
    }
}

/// Share of required fields found (0 to 2) plus share of all fields (0 to 1) plus likeness of the name (0 to 1).
/// A sheet without a single fitting heading never fits.
#[expect(clippy::cast_precision_loss, reason = "counts of fields are small")]
fn fit(wanted: &Wanted<'_>, name: &str, sample: &Sample, remembered: &Remembered) -> f64 {
    let Some((row, _)) = sample.header_for(wanted, remembered) else {
        return 0.0;
    };
    let spec = wanted.spec;
    let found = sample.match_columns(wanted, row, remembered);
    let sum = |required: bool| -> (f64, usize) {
        spec.fields
            .iter()
            .zip(&found)
            .filter(|(field, _)| field.required || !required)
            .fold((0.0, 0), |(score, count), (_, found)| {
                (score + found.score, count + 1)
            })
    };
    let share = |(score, count): (f64, usize)| if count == 0 { 0.0 } else { score / count as f64 };
    2.0 * share(sum(true)) + share(sum(false)) + name_likeness(spec, name)
}

fn name_likeness(spec: &SheetSpec, name: &str) -> f64 {
    let name = Word::new(normalise(name));
    std::iter::once(&spec.key)
        .chain([&spec.title])
        .chain(spec.names)
        .map(|known| {
            let known = Word::new(normalise(known));
            if known == name {
                1.0
            } else if name.contains(&known) {
                0.7
            } else {
                known.similarity(&name)
            }
        })
        .fold(0.0, f64::max)
}

/// A summary of how sure the matching is, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Every required field has an equal or remembered heading.
    Sure,
    /// Every required field has a column, some only by likeness.
    Likely,
    /// A required field has no column.
    Incomplete,
}

impl DetectedSheet {
    /// How sure the matching of this sheet is, given its target.
    pub fn confidence(&self, spec: &SheetSpec) -> Confidence {
        let mut required = spec.fields.iter().filter(|field| field.required).map(|field| {
            self.columns
                .iter()
                .find(|found| found.field == field.key)
                .map_or(0.0, |found| found.score)
        });
        let lowest = required.by_ref().fold(1.0, f64::min);
        if lowest >= 1.0 {
            Confidence::Sure
        } else if lowest > 0.0 {
            Confidence::Likely
        } else {
            Confidence::Incomplete
        }
    }
}
