//! What a subscription wants of a table's changes: `column=op.value`, several joined by commas, all of which must hold.

use super::{
    pgoutput::{Action, Cell},
    table::{Change, Column, Known, Table},
};

/// Most conditions of one subscription.
const MAX_CONDITIONS: usize = 100;
/// Most values of a list.
const MAX_VALUES: usize = 100;

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// Its opposite is meant.
    pub negated: bool,
    /// How it compares.
    pub operator: Operator,
    /// With what; several for a list.
    pub values: Vec<String>,
    /// Whether the database had to be asked about it when it was made.
    pub asks: bool,
}

/// How a condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`
    Eq,
    /// `<>`
    Neq,
    /// `<`
    Lt,
    /// `<=`
    Lte,
    /// `>`
    Gt,
    /// `>=`
    Gte,
    /// One of a list.
    In,
    /// `like`
    Like,
    /// `ilike`
    Ilike,
    /// `is null`, `is true` …
    Is,
    /// `~`
    Match,
    /// `~*`
    Imatch,
    /// `is distinct from`
    IsDistinct,
}

impl Operator {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "eq" => Self::Eq,
            "neq" => Self::Neq,
            "lt" => Self::Lt,
            "lte" => Self::Lte,
            "gt" => Self::Gt,
            "gte" => Self::Gte,
            "in" => Self::In,
            "like" => Self::Like,
            "ilike" => Self::Ilike,
            "is" => Self::Is,
            "match" => Self::Match,
            "imatch" => Self::Imatch,
            "isdistinct" => Self::IsDistinct,
            _ => return None,
        })
    }

    /// Whether its value is a pattern of text rather than of the column's type.
    pub fn takes_pattern(self) -> bool {
        matches!(self, Self::Like | Self::Ilike | Self::Match | Self::Imatch)
    }
}

/// Reads a filter; the error says what is wrong with it.
pub fn parse(filter: &str) -> Result<Vec<Condition>, String> {
    if filter.is_empty() {
        return Ok(Vec::new());
    }
    let conditions: Vec<Condition> = split(filter)?
        .into_iter()
        .map(condition)
        .collect::<Result<_, _>>()?;
    if conditions.len() > MAX_CONDITIONS {
        return Err(format!("a filter has at most {MAX_CONDITIONS} conditions"));
    }
    Ok(conditions)
}

fn condition(text: &str) -> Result<Condition, String> {
    let wrong = || format!("Error parsing `filter` params: {text}");
    let (column, rest) = text.split_once('=').ok_or_else(wrong)?;
    let (negated, rest) = rest
        .strip_prefix("not.")
        .map_or((false, rest), |rest| (true, rest));
    let (name, value) = rest.split_once('.').ok_or_else(wrong)?;
    let operator = Operator::parse(name).ok_or_else(wrong)?;
    let column = column.trim();
    if column.is_empty() {
        return Err(wrong());
    }
    let values = match operator {
        Operator::In => {
            let list = value
                .strip_prefix('(')
                .and_then(|list| list.strip_suffix(')'))
                .ok_or_else(wrong)?;
            split(list)?
                .into_iter()
                .map(|item| unquoted(item.trim()))
                .collect()
        }
        Operator::Is
            if matches!(
                value,
                "null" | "true" | "false" | "unknown" | "not null" | "not_null"
            ) =>
        {
            vec![value.replace('_', " ")]
        }
        Operator::Is => return Err(wrong()),
        _ => vec![unquoted(value)],
    };
    if values.is_empty() || values.len() > MAX_VALUES {
        return Err(format!("a list has 1 to {MAX_VALUES} values"));
    }
    let trailing = |value: &String| value.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1;
    if matches!(operator, Operator::Like | Operator::Ilike) && values.iter().any(trailing) {
        return Err("a pattern must not end with an escape character".to_owned());
    }
    Ok(Condition {
        column: column.to_owned(),
        negated,
        operator,
        values,
        asks: false,
    })
}

/// Parts between commas that stand neither in quotes nor in parentheses.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quoted, mut escaped) = (0, 0_u32, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if quoted {
        return Err(format!(
            "Error parsing `filter` params: a quote is open in {text}"
        ));
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        out.extend(if character == '\\' {
            characters.next()
        } else {
            Some(character)
        });
    }
    out
}

/// A name as an identifier of SQL.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Texts as a PostgreSQL array.
pub fn array(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut out = String::from("{");
    for (index, text) in texts.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push('"');
        for character in text.as_ref().chars() {
            if matches!(character, '"' | '\\') {
                out.push('\\');
            }
            out.push(character);
        }
        out.push('"');
    }
    out.push('}');
    out
}

/// A type of the catalogue's by its name.
fn cast(column: &Column) -> String {
    format!("pg_catalog.{}", quoted(&column.base))
}

impl Condition {
    /// As SQL over the columns of the table; what it compares with is the parameter `from`.
    pub fn to_sql(&self, table: &Table, from: usize) -> String {
        let name = quoted(&self.column);
        let kind = table
            .columns
            .iter()
            .find(|column| column.name == self.column)
            .map_or_else(
                || "text".to_owned(),
                // Types of the operator's own are compared as they are written.
                |column| {
                    if is_known(&column.base) {
                        cast(column)
                    } else {
                        "text".to_owned()
                    }
                },
            );
        let left = if kind == "text" {
            format!("{name}::text")
        } else {
            name.clone()
        };
        let value = format!("${from}::text::{kind}");
        let pattern = format!("${from}::text");
        let sql = match self.operator {
            Operator::Eq => format!("{left} = {value}"),
            Operator::Neq => format!("{left} <> {value}"),
            Operator::Lt => format!("{left} < {value}"),
            Operator::Lte => format!("{left} <= {value}"),
            Operator::Gt => format!("{left} > {value}"),
            Operator::Gte => format!("{left} >= {value}"),
            Operator::IsDistinct => format!("{left} is distinct from {value}"),
            Operator::In => format!("{left} = any (${from}::text[]::{kind}[])"),
            Operator::Like => format!("{name}::text like {pattern}"),
            Operator::Ilike => format!("{name}::text ilike {pattern}"),
            Operator::Match => format!("{name}::text ~ {pattern}"),
            Operator::Imatch => format!("{name}::text ~* {pattern}"),
            // One of a few words that were checked when it was read.
            Operator::Is => format!("{name} is {}", self.values[0]),
        };
        if self.negated { format!("not ({sql})") } else { sql }
    }

    /// The parameter that its SQL takes.
    pub fn parameter(&self) -> Option<String> {
        match self.operator {
            Operator::Is => None,
            Operator::In => Some(array(&self.values)),
            _ => self.values.first().cloned(),
        }
    }

    /// Whether it is for the database to say what it says of changes of a table.
    pub fn asks(&self, table: &Table) -> bool {
        let Some(column) = table.column(&self.column).map(|column| &table.columns[column]) else {
            return false;
        };
        match self.operator {
            _ if column.computed.is_some() => true,
            Operator::Is => self.values[0] != "null",
            Operator::Eq | Operator::Neq | Operator::In => !is_written_in_one_way(&column.base),
            _ => true,
        }
    }

    /// What it says of a change without asking the database: for equality of types whose values are written in one way only.
    /// `None`: the database has to say.
    pub fn at_once(&self, change: &Change) -> Option<bool> {
        let table = &change.table;
        let index = table.column(&self.column)?;
        let column = &table.columns[index];
        if change.action == Action::Delete && column.place.is_some() && !column.identity {
            // What is not recorded of rows that are gone cannot speak against it: clients learn the key and nothing else.
            return Some(true);
        }
        let row = change.row()?;
        match table.known(row, change.is_gone(), index) {
            Known::Carried => {}
            Known::Computed => return None,
            // What is not known is not NULL either.
            Known::Missing => return Some(false),
        }
        let cell = table.cell(row, index);
        let is_equal = |value: &String| matches!(cell, Cell::Text(text) if text == value.as_bytes());
        match self.operator {
            Operator::Is if self.values[0] == "null" => Some((*cell == Cell::Null) != self.negated),
            Operator::Eq | Operator::Neq | Operator::In if is_written_in_one_way(&column.base) => {
                if *cell == Cell::Null {
                    return Some(false);
                }
                let holds = self.values.iter().any(is_equal) != (self.operator == Operator::Neq);
                Some(holds != self.negated)
            }
            _ => None,
        }
    }
}

/// Types whose equal values are equal texts, once written by PostgreSQL.
pub fn is_written_in_one_way(base: &str) -> bool {
    matches!(
        base,
        "int2" | "int4" | "int8" | "uuid" | "text" | "varchar" | "bool" | "date" | "oid"
    )
}

/// Types of PostgreSQL that values are compared as.
pub fn is_known(base: &str) -> bool {
    is_written_in_one_way(base)
        || matches!(
            base,
            "numeric"
                | "float4"
                | "float8"
                | "timestamp"
                | "timestamptz"
                | "time"
                | "timetz"
                | "interval"
                | "bpchar"
                | "json"
                | "jsonb"
                | "inet"
                | "cidr"
                | "macaddr"
                | "bytea"
                | "money"
                | "name"
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(filter: &str) -> Vec<(String, bool, Operator, Vec<String>)> {
        let conditions = parse(filter).expect("readable");
        conditions
            .into_iter()
            .map(|c| (c.column, c.negated, c.operator, c.values))
            .collect()
    }

    #[test]
    fn conditions_are_read() {
        let one = |column: &str, negated, operator, values: &[&str]| {
            (
                column.to_owned(),
                negated,
                operator,
                values.iter().map(ToString::to_string).collect::<Vec<_>>(),
            )
        };
        assert_eq!(read("id=eq.5"), [one("id", false, Operator::Eq, &["5"])]);
        assert_eq!(
            read("at=gt.2026-01-01T00:00:00.5"),
            [one("at", false, Operator::Gt, &["2026-01-01T00:00:00.5"])]
        );
        assert_eq!(
            read("x=not.in.(1,2)"),
            [one("x", true, Operator::In, &["1", "2"])]
        );
        assert_eq!(
            read(r#"a=eq."x,\"y",b=in.(p,"q,r"),c=is.null"#),
            [
                one("a", false, Operator::Eq, &["x,\"y"]),
                one("b", false, Operator::In, &["p", "q,r"]),
                one("c", false, Operator::Is, &["null"]),
            ]
        );
        assert_eq!(read("größe=eq.ü"), [one("größe", false, Operator::Eq, &["ü"])]);
        assert!(read("").is_empty());
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for filter in [
            "id",
            "id=5",
            "id=is.5",
            "=eq.1",
            "id=in.()5",
            "id=eq.\"x",
            "id=near.5",
            "a=like.x\\",
        ] {
            assert!(parse(filter).is_err(), "{filter}");
        }
        assert!(parse(&format!("id=in.({})", vec!["1"; 101].join(","))).is_err());
    }

    proptest! {
        #[test]
        fn no_filter_brings_the_reader_down(filter in ".{0,60}") {
            let _ = parse(&filter);
        }
    }
}
