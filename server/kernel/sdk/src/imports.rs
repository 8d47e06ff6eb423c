//! What an app says about the tables it imports, and what the import engine hands back to it row by row.
//!
//! Pure data: the engine `tenon-imports` reads the file, finds the sheets and columns and parses the cells by
//! these descriptions; rules across fields and everything that needs the database stay with the app.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

/// One kind of file an app can import, such as a register of purchase orders and surveys.
#[derive(Debug, Clone, Copy)]
pub struct TemplateSpec {
    /// Stable name, `<app>.<noun>`.
    pub name: &'static str,
    /// Title shown to people.
    pub title: &'static str,
    /// One sentence on what the file holds.
    pub description: &'static str,
    /// Permission the caller needs besides those of the engine.
    pub permission: &'static str,
    /// Sheets in the order in which they are validated and committed: a sheet may refer to earlier ones.
    pub sheets: &'static [SheetSpec],
}

impl TemplateSpec {
    /// The sheet with this key.
    pub fn sheet(&self, key: &str) -> Option<&'static SheetSpec> {
        self.sheets.iter().find(|sheet| sheet.key == key)
    }
}

/// One sheet of a template.
#[derive(Debug, Clone, Copy)]
pub struct SheetSpec {
    /// Stable key, unique within the template.
    pub key: &'static str,
    /// Title shown to people, and the sheet's name in the workbook made from the template.
    pub title: &'static str,
    /// Other names such a sheet goes by.
    pub names: &'static [&'static str],
    /// Fields in the order in which [`ImportRow::values`] holds them.
    pub fields: &'static [Field],
}

impl SheetSpec {
    /// Position of the field with this key.
    pub fn index_of(&self, key: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.key == key)
    }

    /// The field with this key.
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }
}

/// One column an app understands.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Stable key, unique within the sheet.
    pub key: &'static str,
    /// Label shown to people, and the heading in the workbook made from the template.
    pub label: &'static str,
    /// What the column's cells must hold.
    pub kind: FieldKind,
    /// A row without a value is refused.
    pub required: bool,
    /// A value that an earlier row of the same file holds is refused (letter case is ignored).
    pub unique: bool,
    /// Other headings such a column goes by.
    pub synonyms: &'static [&'static str],
    /// One sentence of help for the person who fills in the column.
    pub help: &'static str,
    /// A value as a person would type it.
    pub example: &'static str,
}

/// What a column's cells must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Text of at most `max` characters, white space at both ends removed.
    Text {
        /// Greatest number of characters.
        max: usize,
    },
    /// An exact decimal number.
    Decimal {
        /// Greatest number of decimal places; a number with more is rounded half away from zero, with a warning.
        scale: u32,
        /// Smallest number allowed, as decimal text.
        min: Option<&'static str>,
    },
    /// A calendar date.
    Date,
    /// An ISO 4217 currency code.
    Currency,
    /// One of some codes, each with other words for it.
    Choice(&'static [(&'static str, &'static [&'static str])]),
}

/// A cell's value after parsing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Value {
    /// No value, or one that could not be understood (then the row has an issue that says so).
    #[default]
    Empty,
    /// Text, currency code or choice code.
    Text(String),
    /// Number.
    Decimal(Decimal),
    /// Date.
    Date(Date),
}

impl Value {
    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Decimal(number) => Some(*number),
            _ => None,
        }
    }

    /// The date, if this is one.
    pub fn as_date(&self) -> Option<Date> {
        match self {
            Self::Date(date) => Some(*date),
            _ => None,
        }
    }

    /// Canonical text: numbers plain with a decimal point, dates ISO 8601. `None` if empty.
    pub fn canonical(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Empty => None,
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Decimal(number) => Some(Cow::Owned(number.to_string())),
            Self::Date(date) => Some(Cow::Owned(date.to_string())),
        }
    }
}

/// How grave an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Worth looking at; the row is accepted.
    Warning,
    /// The row is refused.
    Error,
}

/// Something to say about a row or one of its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Key of the field, or `None` if the issue concerns the whole row.
    pub field: Option<&'static str>,
    /// How grave it is.
    pub level: Level,
    /// Stable snake-case reason.
    pub code: Cow<'static, str>,
    /// One sentence for people that names what was found.
    pub message: String,
}

impl Issue {
    /// An issue that refuses the row.
    pub fn error(
        field: Option<&'static str>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            field,
            level: Level::Error,
            code: code.into(),
            message: message.into(),
        }
    }

    /// An issue that lets the row pass.
    pub fn warning(
        field: Option<&'static str>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            field,
            level: Level::Warning,
            code: code.into(),
            message: message.into(),
        }
    }
}

/// One row of a sheet after parsing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// Id the row will have when it is committed.
    pub id: Uuid,
    /// Row number as the sheet shows it, from 1.
    pub number: u32,
    /// Values in the order of the sheet's fields.
    pub values: Vec<Value>,
    /// What there is to say about it.
    pub issues: Vec<Issue>,
}

impl ImportRow {
    /// Whether no issue refuses the row.
    pub fn accepted(&self) -> bool {
        self.issues.iter().all(|issue| issue.level < Level::Error)
    }
}

/// What became of a key seen earlier in the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SeenKind {
    /// Its row was accepted.
    Accepted,
    /// Its row was refused.
    Refused,
}

/// Keys seen so far in one file, such as the numbers of its orders, and what became of their rows.
///
/// A key once accepted stays accepted: a later, refused duplicate does not take the first row's place.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    keys: HashMap<(&'static str, String), SeenKind>,
}

impl Seen {
    /// Notes what became of a key of this kind (such as `"order"`).
    pub fn note(&mut self, kind: &'static str, key: impl Into<String>, outcome: SeenKind) {
        let slot = self.keys.entry((kind, key.into())).or_insert(outcome);
        if outcome == SeenKind::Accepted {
            *slot = outcome;
        }
    }

    /// What became of a key of this kind, or `None` if the file has not held it so far.
    pub fn get(&self, kind: &'static str, key: &str) -> Option<SeenKind> {
        self.keys.get(&(kind, key.to_owned())).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_duplicate_does_not_hide_the_accepted_row_before_it() {
        let mut seen = Seen::default();
        seen.note("order", "PO-1", SeenKind::Accepted);
        seen.note("order", "PO-1", SeenKind::Refused);
        seen.note("order", "PO-2", SeenKind::Refused);
        assert_eq!(seen.get("order", "PO-1"), Some(SeenKind::Accepted));
        assert_eq!(seen.get("order", "PO-2"), Some(SeenKind::Refused));
        assert_eq!(seen.get("order", "PO-3"), None);
    }

    #[test]
    fn canonical_text_is_plain_for_numbers_and_iso_for_dates() {
        assert_eq!(
            Value::Decimal(Decimal::new(123_450, 2)).canonical().as_deref(),
            Some("1234.50")
        );
        assert_eq!(
            Value::Date(jiff::civil::date(2025, 6, 7)).canonical().as_deref(),
            Some("2025-06-07")
        );
        assert_eq!(Value::Empty.canonical(), None);
    }
}
