//! Gathers streamed cells into rows and holds them to the limits.

use std::ops::ControlFlow;
use std::rc::Rc;

use tenon_sdk::error::{Error, Result};

use super::cell::{Cell, cell_name};
use crate::{Limits, fault};

/// Collects the cells of one row at a time and passes finished rows on.
pub(super) struct Sink<'s, F> {
    file: &'s str,
    sheet: &'s str,
    limits: &'s Limits,
    visit: F,
    rows: u32,
    /// Set while the visitor runs, to tell its panics from those of a reader.
    pub visiting: Rc<std::cell::Cell<bool>>,
}

impl<'s, F: FnMut(u32, &[Cell<'_>]) -> ControlFlow<()>> Sink<'s, F> {
    pub(super) fn new(file: &'s str, sheet: &'s str, limits: &'s Limits, visit: F) -> Self {
        Self {
            file,
            sheet,
            limits,
            visit,
            rows: 0,
            visiting: Rc::default(),
        }
    }

    /// Passes on a row that has content.
    pub(super) fn row(&mut self, number: u32, cells: &[Cell<'_>]) -> Result<ControlFlow<()>> {
        self.rows += 1;
        if self.rows > self.limits.rows {
            return Err(fault::too_large(
                "imports.too_many_rows",
                format!(
                    "The sheet {} has more than {} rows with content.",
                    self.sheet, self.limits.rows
                ),
            )
            .hint("Split it into several files."));
        }
        self.visiting.set(true);
        let flow = (self.visit)(number, cells);
        self.visiting.set(false);
        Ok(flow)
    }

    /// Checks a cell that has content against the limits.
    pub(super) fn check(&self, row: u32, column: u32, cell: &Cell<'_>) -> Result<()> {
        let too_long = matches!(cell, Cell::Text(text) if text.len() > self.limits.cell_bytes);
        if too_long || column as usize >= self.limits.columns {
            return Err(self.beyond(row, column, cell));
        }
        Ok(())
    }

    #[cold]
    fn beyond(&self, row: u32, column: u32, cell: &Cell<'_>) -> Error {
        let place = format!("{} on the sheet {}", cell_name(row, column), self.sheet);
        if column as usize >= self.limits.columns {
            return fault::too_large(
                "imports.too_many_columns",
                format!("The cell {place} lies beyond column {}.", self.limits.columns),
            )
            .hint("Delete the columns that are not needed.");
        }
        let length = cell.text().len();
        fault::too_large(
            "imports.cell_too_large",
            format!("The cell {place} holds {length} bytes of text."),
        )
        .details(format!(
            "At most {} bytes are read from one cell.",
            self.limits.cell_bytes
        ))
        .hint("In delimited text this often means a quotation mark that is never closed.")
    }

    /// The error for a sheet that cannot be read any further.
    pub(super) fn broken(&self, row: u32, reason: impl std::fmt::Display) -> Error {
        fault::malformed(
            self.file,
            format!(
                "The sheet {} cannot be read after row {row}: {reason}.",
                self.sheet
            ),
        )
    }

    /// The error for cells that go backwards.
    pub(super) fn disorder(&self, row: u32) -> Error {
        fault::malformed(
            self.file,
            format!("On the sheet {}, row {row} comes after a later row.", self.sheet),
        )
    }
}

/// The row being gathered.
pub(super) struct Row<'a> {
    number: u32,
    cells: Vec<Cell<'a>>,
}

impl<'a> Row<'a> {
    pub(super) fn new() -> Self {
        Self {
            number: 0,
            cells: Vec::new(),
        }
    }

    /// Row last begun, from 1.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Adds a cell (row from 1, column from 0); passes the row before on when a new one begins.
    #[inline]
    pub(super) fn put<F: FnMut(u32, &[Cell<'_>]) -> ControlFlow<()>>(
        &mut self,
        row: u32,
        column: u32,
        cell: Cell<'a>,
        sink: &mut Sink<'_, F>,
    ) -> Result<ControlFlow<()>> {
        let blank = match &cell {
            Cell::Empty => true,
            Cell::Text(text) => text.is_empty(),
            _ => false,
        };
        if blank {
            return Ok(ControlFlow::Continue(()));
        }
        if row != self.number {
            if row < self.number {
                return Err(sink.disorder(row));
            }
            if self.finish(sink)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            self.number = row;
        }
        sink.check(row, column, &cell)?;
        let column = column as usize;
        if column < self.cells.len() {
            self.cells[column] = cell;
        } else {
            while self.cells.len() < column {
                self.cells.push(Cell::Empty);
            }
            self.cells.push(cell);
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Passes the gathered row on, if there is one.
    pub(super) fn finish<F: FnMut(u32, &[Cell<'_>]) -> ControlFlow<()>>(
        &mut self,
        sink: &mut Sink<'_, F>,
    ) -> Result<ControlFlow<()>> {
        if self.cells.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let flow = sink.row(self.number, &self.cells);
        self.cells.clear();
        flow
    }
}
