//! Rows as bytes and back: how a block of the staging table holds them.
//!
//! A head (form of the bytes, number of fields), then row after row. Numbers are little-endian, texts have their length
//! before them. What the database is asked about rows stands in columns beside the bytes.

use std::borrow::Cow;

use jiff::civil::Date;
use rust_decimal::Decimal;
use tenon_sdk::imports::{Field, ImportRow, Issue, Level, SheetSpec, Value};
use uuid::Uuid;

use crate::validate::CheckedRow;

/// Grows with every change of what follows.
const FORM: u8 = 1;

const EMPTY: u8 = 0;
const TEXT: u8 = 1;
const DECIMAL: u8 = 2;
const DATE: u8 = 3;
/// Place of an issue that concerns the whole row.
const ROW: u16 = u16::MAX;

/// Bytes that no block of this version and this template has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the staged rows are of another version")]
pub(crate) struct Foreign;

/// Rows of a sheet as bytes.
pub(crate) fn pack(sheet: &SheetSpec, rows: &[CheckedRow]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rows.len() * 128 + 3);
    bytes.push(FORM);
    put_count(&mut bytes, sheet.fields.len());
    for CheckedRow { row, originals } in rows {
        bytes.extend(row.number.to_le_bytes());
        bytes.extend(row.id.as_bytes());
        for value in &row.values {
            put_value(&mut bytes, value);
        }
        put_count(&mut bytes, originals.len());
        for (place, text) in originals {
            bytes.extend(place.to_le_bytes());
            put_text(&mut bytes, text);
        }
        put_count(&mut bytes, row.issues.len());
        for issue in &row.issues {
            put_issue(&mut bytes, sheet.fields, issue);
        }
    }
    bytes
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    // A row has at most as many cells as a sheet has columns, and a handful of issues for each.
    bytes.extend(u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn put_value(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Empty => bytes.push(EMPTY),
        Value::Text(text) => {
            bytes.push(TEXT);
            put_text(bytes, text);
        }
        Value::Decimal(number) => {
            bytes.push(DECIMAL);
            bytes.extend(number.serialize());
        }
        Value::Date(date) => {
            bytes.push(DATE);
            bytes.extend(date.year().to_le_bytes());
            bytes.extend(date.month().to_le_bytes());
            bytes.extend(date.day().to_le_bytes());
        }
    }
}

fn put_issue(bytes: &mut Vec<u8>, fields: &[Field], issue: &Issue) {
    let place = issue
        .field
        .and_then(|key| fields.iter().position(|field| field.key == key))
        .and_then(|place| u16::try_from(place).ok())
        .unwrap_or(ROW);
    bytes.extend(place.to_le_bytes());
    bytes.push(match issue.level {
        Level::Info => 0,
        Level::Warning => 1,
        Level::Error => 2,
    });
    put_text(bytes, &issue.code);
    put_text(bytes, &issue.message);
}

/// The rows that [`pack`] made these bytes of.
pub(crate) fn unpack(sheet: &'static SheetSpec, bytes: &[u8]) -> Result<Vec<CheckedRow>, Foreign> {
    let mut reader = Reader { rest: bytes };
    if reader.array::<1>()? != [FORM] || usize::from(reader.count()?) != sheet.fields.len() {
        return Err(Foreign);
    }
    let mut rows = Vec::new();
    while !reader.rest.is_empty() {
        rows.push(reader.row(sheet)?);
    }
    Ok(rows)
}

struct Reader<'bytes> {
    rest: &'bytes [u8],
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Foreign> {
        let (first, rest) = self.rest.split_first_chunk().ok_or(Foreign)?;
        self.rest = rest;
        Ok(*first)
    }

    fn count(&mut self) -> Result<u16, Foreign> {
        self.array().map(u16::from_le_bytes)
    }

    fn text(&mut self) -> Result<&str, Foreign> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        let (text, rest) = self.rest.split_at_checked(length).ok_or(Foreign)?;
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| Foreign)
    }

    fn row(&mut self, sheet: &'static SheetSpec) -> Result<CheckedRow, Foreign> {
        let number = u32::from_le_bytes(self.array()?);
        let id = Uuid::from_bytes(self.array()?);
        let values = sheet
            .fields
            .iter()
            .map(|_| self.value())
            .collect::<Result<_, _>>()?;
        let originals = (0..self.count()?)
            .map(|_| Ok((self.count()?, self.text()?.into())))
            .collect::<Result<_, _>>()?;
        let issues = (0..self.count()?)
            .map(|_| self.issue(sheet))
            .collect::<Result<_, _>>()?;
        let row = ImportRow {
            id,
            number,
            values,
            issues,
        };
        Ok(CheckedRow { row, originals })
    }

    fn value(&mut self) -> Result<Value, Foreign> {
        Ok(match self.array()? {
            [EMPTY] => Value::Empty,
            [TEXT] => Value::Text(self.text()?.to_owned()),
            [DECIMAL] => Value::Decimal(Decimal::deserialize(self.array()?)),
            [DATE] => {
                let year = i16::from_le_bytes(self.array()?);
                let [month, day] = self.array()?;
                let date = Date::new(year, month.cast_signed(), day.cast_signed());
                Value::Date(date.map_err(|_| Foreign)?)
            }
            _ => return Err(Foreign),
        })
    }

    fn issue(&mut self, sheet: &'static SheetSpec) -> Result<Issue, Foreign> {
        let place = self.count()?;
        let level = match self.array()? {
            [0] => Level::Info,
            [1] => Level::Warning,
            _ => Level::Error,
        };
        Ok(Issue {
            field: sheet.fields.get(usize::from(place)).map(|field| field.key),
            level,
            code: Cow::Owned(self.text()?.to_owned()),
            message: self.text()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;
    use tenon_sdk::imports::FieldKind;

    use super::*;

    const fn field(key: &'static str) -> Field {
        Field {
            key,
            label: key,
            kind: FieldKind::Date,
            required: false,
            unique: false,
            synonyms: &[],
            help: "",
            example: "",
        }
    }

    static SHEET: SheetSpec = SheetSpec {
        key: "sheet",
        title: "Sheet",
        names: &[],
        fields: &[field("a"), field("b")],
    };
    static WIDER: SheetSpec = SheetSpec {
        fields: &[field("a"), field("b"), field("c")],
        ..SHEET
    };

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Empty),
            any::<String>().prop_map(Value::Text),
            (any::<i64>(), 0..20_u32).prop_map(|(number, scale)| Value::Decimal(Decimal::new(number, scale))),
            (-9999..9999_i16, 1..=12_i8, 1..=28_i8)
                .prop_map(|(year, month, day)| Value::Date(date(year, month, day))),
        ]
    }

    fn issue() -> impl Strategy<Value = Issue> {
        let field = prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))];
        let level = prop_oneof![Just(Level::Info), Just(Level::Warning), Just(Level::Error)];
        (field, level, any::<String>(), any::<String>()).prop_map(|(field, level, code, message)| Issue {
            field,
            level,
            code: code.into(),
            message,
        })
    }

    fn row() -> impl Strategy<Value = CheckedRow> {
        let originals = prop::collection::vec((0..2_u16, any::<String>().prop_map(Into::into)), 0..3);
        (
            any::<(u32, u128)>(),
            [value(), value()],
            originals,
            prop::collection::vec(issue(), 0..3),
        )
            .prop_map(|((number, id), values, originals, issues)| CheckedRow {
                row: ImportRow {
                    id: Uuid::from_u128(id),
                    number,
                    values: values.into(),
                    issues,
                },
                originals,
            })
    }

    proptest! {
        #[test]
        fn rows_come_back_as_they_were(rows in prop::collection::vec(row(), 0..5)) {
            prop_assert_eq!(unpack(&SHEET, &pack(&SHEET, &rows)), Ok(rows));
        }

        #[test]
        fn strange_bytes_are_refused_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&SHEET, &bytes);
            let headed = [&[FORM, 2, 0][..], &bytes].concat();
            let _ = unpack(&SHEET, &headed);
        }
    }

    #[test]
    fn rows_staged_for_other_fields_are_foreign() {
        assert_eq!(unpack(&WIDER, &pack(&SHEET, &[])), Err(Foreign));
        assert_eq!(unpack(&SHEET, &[]), Err(Foreign));
        assert_eq!(unpack(&SHEET, &[FORM + 1, 2, 0]), Err(Foreign));
    }
}
