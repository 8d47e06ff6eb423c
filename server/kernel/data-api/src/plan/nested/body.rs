//! Takes the body of a nested insert apart: the rows of each level as JSON of their own. Numbers keep their digits.

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::api_request::NestedColumns;
use crate::error::{Error, Result};
use crate::schema_cache::Table;

/// The members of an object, in their order.
struct Members<'b>(Vec<(String, &'b RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Objects;
        impl<'de> Visitor<'de> for Objects {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Objects)
    }
}

/// One object of the body.
#[derive(Default)]
pub(super) struct Row<'b> {
    members: Vec<(String, &'b RawValue)>,
    /// Number of the row that it stands in.
    pub(super) up: Option<usize>,
}

/// What stands under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// An object.
    One,
    /// An array of objects.
    Many,
}

/// The outermost rows: an object or an array of objects.
pub(super) fn rows(text: &str) -> Result<Vec<Row<'_>>> {
    let whole: &RawValue =
        serde_json::from_str(text).map_err(|_| Error::body_invalid("Empty or invalid json"))?;
    let found = if whole.get().starts_with('[') {
        elements(whole)
    } else {
        object(whole).map(|row| vec![row])
    };
    found.ok_or_else(|| Error::nested("The body is neither an object nor an array of objects."))
}

fn object(text: &RawValue) -> Option<Row<'_>> {
    let Members(members) = serde_json::from_str(text.get()).ok()?;
    Some(Row { members, up: None })
}

fn elements(text: &RawValue) -> Option<Vec<Row<'_>>> {
    let list: Vec<&RawValue> = serde_json::from_str(text.get()).ok()?;
    list.into_iter().map(object).collect()
}

impl<'b> Row<'b> {
    /// The last member of a name, as PostgreSQL has it.
    fn member(&self, key: &str) -> Option<&'b RawValue> {
        self.members
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| *value)
    }

    /// The rows under a key, of which this row, the one with the given number of its relation, need not have any.
    pub(super) fn inside(
        &self,
        key: &str,
        shape: Shape,
        number: usize,
        table: &Table,
    ) -> Result<Vec<Row<'b>>> {
        let Some(value) = self.member(key).filter(|value| value.get() != "null") else {
            return Ok(Vec::new());
        };
        let (found, wanted) = match shape {
            Shape::One => (object(value).map(|row| vec![row]), "an object"),
            Shape::Many => (elements(value), "an array of objects"),
        };
        found.ok_or_else(|| {
            Error::nested(format!("'{key}' is not {wanted}.")).details(format!(
                "It stands in row {} of '{}'.",
                number + 1,
                table.qualified.name
            ))
        })
    }
}

/// The rows under a key of all rows, with the number of the one that each stands in.
pub(super) fn inside_all<'b>(
    rows: &[Row<'b>],
    key: &str,
    shape: Shape,
    table: &Table,
) -> Result<Vec<Row<'b>>> {
    let mut all = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let found = row.inside(key, shape, number, table)?;
        all.extend(found.into_iter().map(|inner| Row {
            up: Some(number),
            ..inner
        }));
    }
    Ok(all)
}

/// All keys that any row has.
pub(super) fn keys(rows: &[Row<'_>]) -> Vec<String> {
    let keys: BTreeSet<&String> = rows
        .iter()
        .flat_map(|row| row.members.iter().map(|(name, _)| name))
        .collect();
    keys.into_iter().cloned().collect()
}

/// The columns that rows fill: those named and, where all are meant, the keys of the rows, which must be the same.
pub(super) fn names(columns: &NestedColumns, rows: &[Row<'_>]) -> Result<Vec<String>> {
    let mut names = columns.names.clone();
    if columns.all {
        let keys = |row: &Row<'_>| {
            let keys = row.members.iter().map(|(name, _)| name.clone());
            let mut keys: Vec<String> = keys
                .filter(|name| columns.inside.iter().all(|rows| rows.key() != name))
                .collect();
            keys.sort_unstable();
            keys.dedup();
            keys
        };
        let first = rows.first().map(keys).unwrap_or_default();
        if rows.iter().skip(1).any(|row| keys(row) != first) {
            return Err(Error::body_invalid("All object keys must match"));
        }
        names.extend(first.into_iter().filter(|key| !columns.names.contains(key)));
    }
    Ok(names)
}

/// The rows as they go to the database: all in one array, or each in its own.
pub(super) fn statements(
    rows: &[Row<'_>],
    names: &[String],
    ups: &[Vec<Option<usize>>],
    one_by_one: bool,
) -> Vec<Bytes> {
    let size = if one_by_one { 1 } else { rows.len().max(1) };
    rows.chunks(size)
        .zip(ups.chunks(size))
        .map(|(rows, ups)| array(rows, names, ups))
        .collect()
}

fn array(rows: &[Row<'_>], names: &[String], ups: &[Vec<Option<usize>>]) -> Bytes {
    let mut text = String::from("[");
    for (row, ups) in rows.iter().zip(ups) {
        separate(&mut text, '[');
        text.push_str("{\"row\":{");
        for (name, value) in row.members.iter().filter(|(name, _)| names.contains(name)) {
            separate(&mut text, '{');
            text.push_str(&serde_json::Value::from(name.as_str()).to_string());
            text.push(':');
            text.push_str(value.get());
        }
        text.push_str("},\"up\":[");
        for up in ups {
            separate(&mut text, '[');
            text.push_str(&up.map_or_else(|| "null".to_owned(), |up| up.to_string()));
        }
        text.push_str("]}");
    }
    text.push(']');
    text.into()
}

/// A comma, unless what opens the list was just written.
fn separate(text: &mut String, opened: char) {
    if !text.ends_with(opened) {
        text.push(',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rows: &[Row<'_>], names: &[&str], ups: &[Vec<Option<usize>>], one_by_one: bool) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = statements(rows, &names, ups, one_by_one);
        let made = made.iter().map(|text| String::from_utf8_lossy(text).into_owned());
        made.collect()
    }

    #[test]
    fn rows_become_json_of_their_own_with_numbers_as_they_are() {
        let body = r#" [ {"a": 1.10, "x":{"y":[1]}, "b\"":"\u0041", "in":[{}]}, {"a":null} ] "#;
        let rows = rows(body).unwrap_or_else(|error| panic!("{error}"));
        let ups = [vec![None], vec![Some(7), Some(0)]];
        assert_eq!(
            text(&rows, &["a", "b\"", "x"], &ups, false),
            [
                r#"[{"row":{"a":1.10,"x":{"y":[1]},"b\"":"\u0041"},"up":[null]},{"row":{"a":null},"up":[7,0]}]"#
            ]
        );
        assert_eq!(
            text(&rows, &["a"], &ups, true),
            [
                r#"[{"row":{"a":1.10},"up":[null]}]"#,
                r#"[{"row":{"a":null},"up":[7,0]}]"#
            ]
        );
        assert_eq!(text(&[], &["a"], &[], false), Vec::<String>::new());
    }

    #[test]
    fn a_value_that_ends_like_a_list_is_followed_by_a_comma() {
        let rows = rows(r#"{"a":"{","b":"[","c":[]}"#).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            text(&rows, &["a", "b", "c"], &[Vec::new()], false),
            [r#"[{"row":{"a":"{","b":"[","c":[]},"up":[]}]"#]
        );
    }

    #[test]
    fn what_is_no_row_is_refused() {
        for (body, code) in [
            ("", "PGRST102"),
            ("[", "PGRST102"),
            ("{} {}", "PGRST102"),
            ("1", "rest.nested_invalid"),
            ("null", "rest.nested_invalid"),
            ("[1]", "rest.nested_invalid"),
            ("[[]]", "rest.nested_invalid"),
            ("[null]", "rest.nested_invalid"),
        ] {
            let refused = rows(body).err().map(|error| (error.status, error.code));
            assert_eq!(refused, Some((400, code.into())), "{body}");
        }
    }
}
