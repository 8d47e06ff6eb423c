//! A change as its subscribers get it.

use std::fmt::Write;

use serde_json::Value;

use super::{
    pgoutput::{Action, Cell, Tuple},
    table::{Change, Column},
};

/// Values up to this many bytes are sent even of a row that is too large.
const SMALL: usize = 64;

/// What of a change may be told.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// Columns that the role may read.
    pub readable: &'a [bool],
    /// Columns that the subscription wants.
    pub select: Option<&'a [String]>,
    /// Whether the row before may be seen whole, or only its key.
    pub old: bool,
    /// Most bytes of values.
    pub limit: usize,
}

impl Told<'_> {
    fn shows(&self, index: usize, column: &Column) -> bool {
        self.readable.get(index).copied().unwrap_or(false)
            && self
                .select
                .is_none_or(|names| column.key || names.contains(&column.name))
    }
}

/// The member `data` of `postgres_changes`.
pub fn data(change: &Change, told: Told<'_>) -> String {
    let too_large = change.size > told.limit;
    let table = &change.table;
    let mut out = String::with_capacity(256 + change.size);
    let _ = write!(
        out,
        r#"{{"schema":{},"table":{},"commit_timestamp":"{}","type":"{}","columns":["#,
        Value::from(table.schema.as_str()),
        Value::from(table.name.as_str()),
        change.committed.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"),
        change.action.name(),
    );
    let mut first = true;
    for (index, column) in table.columns.iter().enumerate() {
        if told.shows(index, column) {
            separate(&mut first, &mut out);
            let _ = write!(
                out,
                r#"{{"name":{},"type":{}}}"#,
                Value::from(column.name.as_str()),
                Value::from(column.kind.as_str())
            );
        }
    }
    out.push(']');
    if let Some(new) = &change.new {
        out.push_str(r#","record":"#);
        record(change, new, told, |_| true, too_large, &mut out);
    }
    match (change.action, &change.old) {
        (Action::Insert, _) => {}
        (Action::Update, None) => {
            // Only a changed key is recorded: else it is that of the row as it is.
            out.push_str(r#","old_record":"#);
            let row = change.new.as_ref().unwrap_or(const { &Vec::new() });
            record(change, row, told, |column| column.key, too_large, &mut out);
        }
        (Action::Update | Action::Delete, old) => {
            out.push_str(r#","old_record":"#);
            let row = old.as_ref().unwrap_or(const { &Vec::new() });
            record(
                change,
                row,
                told,
                |column| column.identity && (told.old || column.key),
                too_large,
                &mut out,
            );
        }
    }
    let errors = if too_large {
        r#"["Error 413: Payload Too Large"]"#
    } else {
        "null"
    };
    let _ = write!(out, r#","errors":{errors},"position":"{}"}}"#, change.position);
    out
}

fn record(
    change: &Change,
    row: &Tuple,
    told: Told<'_>,
    wanted: impl Fn(&Column) -> bool,
    too_large: bool,
    out: &mut String,
) {
    out.push('{');
    let mut first = true;
    for (index, column) in change.table.columns.iter().enumerate() {
        if column.place.is_none() || !told.shows(index, column) || !wanted(column) {
            continue;
        }
        let cell = change.table.cell(row, index);
        let text = match cell {
            Cell::Text(text) if too_large && text.len() > SMALL => continue,
            Cell::Text(text) => Some(String::from_utf8_lossy(text)),
            Cell::Null => None,
            // It is as it was, and nobody recorded how that was.
            Cell::Unchanged => continue,
        };
        separate(&mut first, out);
        out.push_str(&Value::from(column.name.as_str()).to_string());
        out.push(':');
        match text {
            Some(text) => column.form.write(&text, out),
            None => out.push_str("null"),
        }
    }
    out.push('}');
}

fn separate(first: &mut bool, out: &mut String) {
    if !std::mem::take(first) {
        out.push(',');
    }
}
