//! A cell as it was found, with its type.

use std::borrow::Cow;

use jiff::civil::DateTime;

/// A cell's content. Text borrows from the open workbook where it can.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell<'a> {
    /// Nothing.
    #[default]
    Empty,
    /// Text, not trimmed.
    Text(Cow<'a, str>),
    /// A number; [`Cell::text`] gives its shortest decimal form.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// A date, with midnight where no time was given.
    Date(DateTime),
    /// An error value such as `#DIV/0!`.
    Error(Cow<'a, str>),
    /// A formula whose result the file does not hold.
    Uncalculated,
}

impl Cell<'_> {
    /// Whether the cell holds nothing, or nothing but white space.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.chars().all(char::is_whitespace),
            _ => false,
        }
    }

    /// The content as a person would read it: numbers in their shortest form, dates in ISO 8601.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number_text(*number)),
            Self::Bool(true) => Cow::Borrowed("TRUE"),
            Self::Bool(false) => Cow::Borrowed("FALSE"),
            Self::Date(moment) if moment.time() == jiff::civil::Time::midnight() => {
                Cow::Owned(moment.date().to_string())
            }
            Self::Date(moment) => Cow::Owned(format!("{} {}", moment.date(), moment.time())),
            Self::Error(error) => Cow::Borrowed(error),
            Self::Uncalculated => Cow::Borrowed("(formula without a result)"),
        }
    }
}

/// The shortest decimal text that reads back as the same number; never with an exponent.
pub fn number_text(number: f64) -> String {
    if number == 0.0 {
        "0".to_owned()
    } else {
        number.to_string()
    }
}

/// `A1`-style name of a column, counted from 0.
pub fn column_name(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = Some(column);
    while let Some(number) = rest {
        letters.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(number % 26) as usize]));
        rest = (number / 26).checked_sub(1);
    }
    letters.iter().rev().collect()
}

/// `A1`-style name of a cell: row counted from 1, column from 0.
pub fn cell_name(row: u32, column: u32) -> String {
    format!("{}{row}", column_name(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_they_were_typed() {
        assert_eq!(Cell::Number(1234.5).text(), "1234.5");
        assert_eq!(Cell::Number(434_680.97).text(), "434680.97");
        assert_eq!(Cell::Number(1_700_001.0).text(), "1700001");
        assert_eq!(Cell::Number(-0.0).text(), "0");
        assert_eq!(Cell::Number(1e21).text(), "1000000000000000000000");
    }

    #[test]
    fn cells_are_named_as_spreadsheets_name_them() {
        assert_eq!(cell_name(1, 0), "A1");
        assert_eq!(cell_name(17, 25), "Z17");
        assert_eq!(cell_name(3, 26), "AA3");
        assert_eq!(cell_name(1, 16_383), "XFD1");
        assert_eq!(column_name(u32::MAX), "MWLQKWV");
    }
}
