//! One sheet: decides how its columns are read, then checks row by row.

use std::collections::HashMap;
use std::ops::ControlFlow;

use tenon_sdk::error::Result;
use tenon_sdk::imports::{FieldKind, ImportRow, Issue, Level, Value};
use uuid::Uuid;

use super::{BATCH, Batch, CheckedRow, Planned, SheetReport};
use crate::Workbook;
use crate::reader::{Cell, CellRange, Notice};
use crate::values::{self, ColumnRules, Evidence, decimal};

/// Rows from which a column's reading is decided, unless they leave it open.
const SAMPLE: u32 = 2_000;

static NOTHING: Cell<'static> = Cell::Empty;

pub(super) fn check(
    workbook: &mut Workbook,
    plan: &Planned,
    new_id: &mut dyn FnMut() -> Uuid,
    take: &mut dyn FnMut(Batch) -> ControlFlow<()>,
) -> Result<(SheetReport, ControlFlow<()>)> {
    let (rules, evidence) = column_rules(workbook, plan)?;
    let mut merges: Vec<CellRange> = workbook
        .merged_ranges(plan.sheet)?
        .into_iter()
        .filter(|range| reaches_into(range, plan))
        .collect();
    merges.sort_by_key(|range| range.first_row);
    let headings = headings(workbook, plan)?;
    let mut check = Check {
        plan,
        rules: &rules,
        merges: &merges,
        active: Vec::new(),
        headings: &headings,
        seen: plan
            .spec
            .fields
            .iter()
            .map(|field| field.unique.then(HashMap::new))
            .collect(),
        report: SheetReport {
            sheet: plan.name.clone(),
            target: plan.spec.key,
            rows: 0,
            accepted: 0,
            refused: 0,
            warnings: 0,
            rules: rules.clone(),
            notices: notices(plan, &evidence, &merges),
        },
        batch: Vec::new(),
    };
    let mut flow = ControlFlow::Continue(());
    workbook.for_each_row(plan.sheet, |number, cells| {
        if number <= plan.header_row || !check.row(number, cells, new_id) {
            return ControlFlow::Continue(());
        }
        if check.batch.len() >= BATCH {
            flow = take(check.take_batch());
        }
        flow
    })?;
    if flow.is_continue() && !check.batch.is_empty() {
        flow = take(check.take_batch());
    }
    Ok((check.report, flow))
}

struct Check<'p> {
    plan: &'p Planned,
    rules: &'p [ColumnRules],
    /// Merged ranges still to come, by their first row, and those that reach the current row.
    merges: &'p [CellRange],
    active: Vec<&'p CellRange>,
    /// Text of each field's heading, to recognise headings repeated among the data.
    headings: &'p [String],
    /// For each unique field the values so far, in lower case, and the row that held them first.
    seen: Vec<Option<HashMap<String, u32>>>,
    report: SheetReport,
    batch: Vec<CheckedRow>,
}

impl Check<'_> {
    /// Checks a row; false if it holds no data.
    fn row(&mut self, number: u32, cells: &[Cell<'_>], new_id: &mut dyn FnMut() -> Uuid) -> bool {
        let cell_of =
            |column: &Option<usize>| column.and_then(|column| cells.get(column)).unwrap_or(&NOTHING);
        if self.plan.columns.iter().all(|column| cell_of(column).is_blank()) || self.repeats_headings(cells) {
            return false;
        }
        let fields = self.plan.spec.fields;
        let mut values = Vec::with_capacity(fields.len());
        let mut issues = Vec::new();
        let mut originals = Vec::new();
        for (index, (field, column)) in fields.iter().zip(&self.plan.columns).enumerate() {
            let cell = cell_of(column);
            let value = values::parse(field, cell, self.rules[index], &mut issues);
            if let Some(text) = differing(cell, &value) {
                originals.push((u16::try_from(index).unwrap_or(u16::MAX), text));
            }
            if let Some(seen) = &mut self.seen[index]
                && let Some(text) = value.canonical()
            {
                let first = *seen.entry(text.to_lowercase()).or_insert(number);
                if first != number {
                    issues.push(Issue::error(
                        Some(field.key),
                        "duplicate_in_file",
                        format!("{} {text} is already in row {first}.", field.label),
                    ));
                }
            }
            values.push(value);
        }
        for range in self.merged_at(number) {
            issues.push(Issue::warning(None, "merged_cells", merged(range)));
        }
        let row = ImportRow {
            id: new_id(),
            number,
            values,
            issues,
        };
        self.report.rows += 1;
        match row.issues.iter().map(|issue| issue.level).max() {
            Some(Level::Error) => self.report.refused += 1,
            Some(Level::Warning) => {
                self.report.accepted += 1;
                self.report.warnings += 1;
            }
            _ => self.report.accepted += 1,
        }
        self.batch.push(CheckedRow { row, originals });
        true
    }

    /// Merged ranges that reach this row; rows come in ascending order.
    fn merged_at(&mut self, number: u32) -> &[&CellRange] {
        let begun = self.merges.partition_point(|range| range.first_row <= number);
        let (new, rest) = self.merges.split_at(begun);
        self.active.extend(new);
        self.merges = rest;
        self.active.retain(|range| range.last_row >= number);
        &self.active
    }

    /// Printed registers repeat their headings at the top of each page.
    fn repeats_headings(&self, cells: &[Cell<'_>]) -> bool {
        let mut matched = 0;
        for (column, heading) in self.plan.columns.iter().zip(self.headings) {
            match column.and_then(|column| cells.get(column)) {
                Some(Cell::Text(text)) if text.trim() == heading && !heading.is_empty() => matched += 1,
                Some(cell) if !cell.is_blank() => return false,
                _ => {}
            }
        }
        matched >= 2
    }

    fn take_batch(&mut self) -> Batch {
        let rows = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        Batch {
            sheet: self.plan.name.clone(),
            spec: self.plan.spec,
            rows,
        }
    }
}

/// The cell's text where it is not simply the canonical text of its value.
fn differing(cell: &Cell<'_>, value: &Value) -> Option<Box<str>> {
    match (cell, value) {
        (Cell::Empty, _) => None,
        (Cell::Text(found), Value::Text(text)) if found == text => None,
        (Cell::Date(moment), Value::Date(date))
            if moment.date() == *date && moment.time() == jiff::civil::Time::midnight() =>
        {
            None
        }
        (Cell::Number(number), Value::Decimal(value)) if decimal::from_f64(*number) == Some(*value) => None,
        _ => {
            let found = cell.text();
            (value.canonical().unwrap_or_default() != found).then(|| found.into())
        }
    }
}

fn reaches_into(range: &CellRange, plan: &Planned) -> bool {
    range.last_row > plan.header_row
        && plan.columns.iter().flatten().any(|column| {
            u32::try_from(*column)
                .is_ok_and(|column| (range.first_column..=range.last_column).contains(&column))
        })
}

fn headings(workbook: &mut Workbook, plan: &Planned) -> Result<Vec<String>> {
    let mut texts = vec![String::new(); plan.columns.len()];
    workbook.for_each_row(plan.sheet, |number, cells| {
        if number == plan.header_row {
            for (text, column) in texts.iter_mut().zip(&plan.columns) {
                if let Some(cell) = column.and_then(|column| cells.get(column)) {
                    cell.text().trim().clone_into(text);
                }
            }
        }
        if number < plan.header_row {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(texts)
}

/// Decides from the first rows how each column is read; where they leave it open, from all of them.
fn column_rules(workbook: &mut Workbook, plan: &Planned) -> Result<(Vec<ColumnRules>, Vec<Evidence>)> {
    let mut evidence = gather(workbook, plan, SAMPLE)?;
    if evidence.iter().any(Evidence::is_undecided) {
        evidence = gather(workbook, plan, u32::MAX)?;
    }
    Ok((evidence.iter().map(Evidence::rules).collect(), evidence))
}

fn gather(workbook: &mut Workbook, plan: &Planned, most: u32) -> Result<Vec<Evidence>> {
    let mut evidence = vec![Evidence::default(); plan.spec.fields.len()];
    let mut rows = 0;
    workbook.for_each_row(plan.sheet, |number, cells| {
        if number <= plan.header_row {
            return ControlFlow::Continue(());
        }
        rows += 1;
        for ((field, column), evidence) in plan.spec.fields.iter().zip(&plan.columns).zip(&mut evidence) {
            if let Some(cell) = column.and_then(|column| cells.get(column)) {
                evidence.note(field.kind, cell);
            }
        }
        if rows < most {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(evidence)
}

fn notices(plan: &Planned, evidence: &[Evidence], merges: &[CellRange]) -> Vec<Notice> {
    const MOST: usize = 20;
    let notice = |code, message| Notice {
        code,
        sheet: Some(plan.name.clone()),
        message,
    };
    let mut notices: Vec<Notice> = merges
        .iter()
        .take(MOST)
        .map(|range| notice("merged_cells", merged(range)))
        .collect();
    for (field, _) in plan
        .spec
        .fields
        .iter()
        .zip(evidence)
        .filter(|(field, evidence)| field.kind == FieldKind::Date && evidence.is_undecided())
    {
        notices.push(notice(
            "ambiguous_dates",
            format!(
                "Nothing shows whether {} is written day first or month first; it was read day first.",
                field.label
            ),
        ));
    }
    notices
}

fn merged(range: &CellRange) -> String {
    format!("The cells {range} are merged; only the first of them has a value.")
}
