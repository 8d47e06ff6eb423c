//! Which row holds the headings: below a title block perhaps, above the data.

use super::columns::{ColumnMatch, Heading, Remembered, Wanted};
use crate::reader::Cell;

/// The first rows of a sheet, kept to look for headings in.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    rows: Vec<SampleRow>,
}

#[derive(Debug, Clone)]
struct SampleRow {
    number: u32,
    texts: Vec<String>,
    forms: Vec<Heading>,
    /// Cells that hold text, and cells that hold anything.
    text: usize,
    filled: usize,
    /// Whether all its texts differ.
    distinct: bool,
    types: Vec<Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Text,
    Other,
}

impl Sample {
    /// Rows looked at.
    pub const ROWS: usize = 60;

    /// Adds a row; returns whether more are wanted.
    pub fn add(&mut self, number: u32, cells: &[Cell<'_>]) -> bool {
        let texts: Vec<String> = cells.iter().map(|cell| cell.text().trim().to_owned()).collect();
        let types: Vec<Kind> = cells
            .iter()
            .zip(&texts)
            .map(|(cell, text)| match cell {
                _ if cell.is_blank() => Kind::Blank,
                // In delimited text everything is text; what begins like a number is none of a heading's words.
                Cell::Text(_) if !text.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
                    Kind::Text
                }
                _ => Kind::Other,
            })
            .collect();
        let mut sorted: Vec<String> = texts
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| text.to_lowercase())
            .collect();
        sorted.sort_unstable();
        let filled = sorted.len();
        sorted.dedup();
        self.rows.push(SampleRow {
            number,
            text: types.iter().filter(|kind| **kind == Kind::Text).count(),
            filled,
            distinct: sorted.len() == filled,
            forms: texts.iter().map(|text| Heading::new(text)).collect(),
            texts,
            types,
        });
        self.rows.len() < Self::ROWS
    }

    /// Whether the sheet has no content.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Matches the columns by the row with this number.
    pub(super) fn match_columns(
        &self,
        wanted: &Wanted<'_>,
        number: u32,
        remembered: &Remembered,
    ) -> Vec<ColumnMatch> {
        match self.rows.iter().find(|row| row.number == number) {
            Some(row) => wanted.match_columns(&row.forms, &row.texts, remembered),
            None => wanted.match_columns(&[], &[], remembered),
        }
    }

    /// Cells of the row with this number as text; none if the row is blank or further down.
    pub fn headings(&self, number: u32) -> Option<&[String]> {
        self.rows
            .iter()
            .find(|row| row.number == number)
            .map(|row| row.texts.as_slice())
    }

    /// The most likely heading row for this template sheet, with how well its headings fit (sum of scores).
    pub(super) fn header_for(&self, wanted: &Wanted<'_>, remembered: &Remembered) -> Option<(u32, f64)> {
        let mut best: Option<(f64, u32, f64)> = None;
        for (index, row) in self.rows.iter().enumerate() {
            let fit = wanted.fit(&row.forms, remembered);
            if fit == 0.0 {
                continue;
            }
            let score = fit * 10.0 + self.looks_like_heading(index);
            if best.is_none_or(|(other, ..)| score > other) {
                best = Some((score, row.number, fit));
            }
        }
        best.map(|(_, number, fit)| (number, fit))
    }

    /// The most likely heading row if no template fits: the one that looks most like one.
    pub fn header(&self) -> Option<u32> {
        let mut best: Option<(f64, u32)> = None;
        for (index, row) in self.rows.iter().enumerate().filter(|(_, row)| row.text >= 2) {
            let score = self.looks_like_heading(index);
            if best.is_none_or(|(other, _)| score > other) {
                best = Some((score, row.number));
            }
        }
        best.map(|(_, number)| number)
    }

    /// 0 to 10: all text, all different, as wide as what follows, and followed by cells of other types.
    #[expect(clippy::cast_precision_loss, reason = "counts of columns are small")]
    fn looks_like_heading(&self, index: usize) -> f64 {
        let row = &self.rows[index];
        if row.filled == 0 {
            return 0.0;
        }
        let share = |part: usize, whole: usize| {
            if whole == 0 {
                0.0
            } else {
                part as f64 / whole as f64
            }
        };
        let mut score = 3.0 * share(row.text, row.filled);
        if row.distinct {
            score += 1.0;
        }
        let below = &self.rows[index + 1..self.rows.len().min(index + 6)];
        let widest = below
            .iter()
            .map(|row| row.filled)
            .max()
            .unwrap_or(0)
            .max(row.filled);
        score += 3.0 * share(row.filled, widest);
        let turns = |next: &SampleRow| {
            row.types
                .iter()
                .zip(&next.types)
                .filter(|(here, there)| **here == Kind::Text && **there == Kind::Other)
                .count()
        };
        let turned = below
            .iter()
            .map(|next| share(turns(next), row.filled))
            .fold(0.0, f64::max);
        score + 3.0 * turned
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn text(text: &str) -> Cell<'_> {
        if text.is_empty() {
            Cell::Empty
        } else {
            Cell::Text(Cow::Borrowed(text))
        }
    }

    #[test]
    fn headings_are_found_below_a_title_block_without_any_template() {
        let mut sample = Sample::default();
        sample.add(1, &[text("Commercial register")]);
        sample.add(2, &[text("Prepared for"), text("month end")]);
        sample.add(4, &[text("Item"), text("Colour"), text("Size")]);
        sample.add(5, &[text("Chair"), text("red"), Cell::Number(4.0)]);
        sample.add(6, &[text("Table"), text("red"), Cell::Number(5.0)]);
        assert_eq!(sample.header(), Some(4));
        assert_eq!(sample.headings(4).map(<[String]>::len), Some(3));
    }
}
