//! A table whose changes are read, and a change of it.

use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;
use tenon_sdk::{Error, OrgId, Result};
use uuid::Uuid;

use super::{
    json::Form,
    pgoutput::{Action, Cell, Relation, Row, Tuple},
    position::Position,
};

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its type is called.
    pub kind: String,
    /// What the type rests on, where it is a domain.
    pub base: String,
    /// How its values are written.
    pub form: Form,
    /// Part of the primary key.
    pub key: bool,
    /// Its place in a row of the log; generated columns have none.
    pub place: Option<usize>,
    /// Recorded of rows that are gone or were before.
    pub identity: bool,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The place of `org_id` among the columns, if its rows belong to organisations and are walled so.
    pub org: Option<usize>,
    /// Whether row-level security is on.
    pub walled: bool,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// What `realtime.relation` tells.
#[derive(Deserialize)]
struct Described {
    schema: String,
    name: String,
    kind: Option<String>,
    walled: bool,
    columns: Vec<DescribedColumn>,
}

#[derive(Deserialize)]
struct DescribedColumn {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    base: String,
    element: Option<String>,
    delimiter: String,
    key: bool,
}

impl Table {
    /// Puts together what the log and the catalogue tell of it.
    pub fn new(relation: &Relation, described: serde_json::Value) -> Result<Self> {
        let described: Described = serde_json::from_value(described).map_err(Error::internal)?;
        let columns: Vec<Column> = described
            .columns
            .into_iter()
            .map(|column| {
                let place = relation.columns.iter().position(|(name, _)| *name == column.name);
                let identity =
                    relation.identity == b'f' || place.is_some_and(|place| relation.columns[place].1);
                let delimiter = column.delimiter.chars().next().unwrap_or(',');
                Column {
                    form: Form::of(&column.base, column.element.as_deref(), delimiter),
                    name: column.name,
                    kind: column.kind,
                    base: column.base,
                    key: column.key,
                    place,
                    identity,
                }
            })
            .collect();
        let org = (described.kind.as_deref() == Some("tenant"))
            .then(|| columns.iter().position(|column| column.name == "org_id"))
            .flatten();
        Ok(Self {
            oid: relation.oid,
            schema: described.schema,
            name: described.name,
            org,
            walled: described.walled,
            columns,
        })
    }

    /// From the catalogue alone, as if all of every row were recorded.
    pub fn described(oid: u32, described: serde_json::Value) -> Result<Self> {
        let names = described["columns"].as_array().into_iter().flatten();
        let columns = names
            .filter_map(|column| Some((column["name"].as_str()?.to_owned(), true)))
            .collect();
        let relation = Relation {
            oid,
            schema: String::new(),
            name: String::new(),
            identity: b'f',
            columns,
        };
        Self::new(&relation, described)
    }

    /// Whether a subscription to this schema and table means it; `*` means all.
    pub fn is_meant(&self, schema: &str, table: &str) -> bool {
        (schema == "*" || schema == self.schema) && (table == "*" || table == self.name)
    }

    /// The value of a column in a row of the log.
    pub fn cell<'a>(&self, tuple: &'a Tuple, column: usize) -> &'a Cell {
        self.columns[column]
            .place
            .and_then(|place| tuple.get(place))
            .unwrap_or(&Cell::Null)
    }

    /// A row as PostgreSQL writes composite values, for the columns in their order.
    pub fn literal(&self, tuple: &Tuple) -> String {
        let mut text = String::from("(");
        for index in 0..self.columns.len() {
            if index > 0 {
                text.push(',');
            }
            if let Cell::Text(bytes) = self.cell(tuple, index) {
                text.push('"');
                for character in String::from_utf8_lossy(bytes).chars() {
                    if matches!(character, '"' | '\\') {
                        text.push(character);
                    }
                    text.push(character);
                }
                text.push('"');
            }
        }
        text.push(')');
        text
    }
}

/// A change of a row.
#[derive(Debug)]
pub struct Change {
    /// Its place among all changes.
    pub position: Position,
    /// When its transaction committed.
    pub committed: Timestamp,
    /// The table.
    pub table: Arc<Table>,
    /// What happened.
    pub action: Action,
    /// The row before, as far as it is recorded.
    pub old: Option<Tuple>,
    /// The row after.
    pub new: Option<Tuple>,
    /// The organisation whose row it is, where rows belong to organisations.
    pub org: Option<OrgId>,
    /// Bytes it takes in memory, as an estimate.
    pub size: usize,
}

impl Change {
    /// From a row of the log.
    pub fn new(position: Position, committed: Timestamp, table: Arc<Table>, row: Row) -> Self {
        let Row {
            action, old, mut new, ..
        } = row;
        // Large values that did not change stand in the row before, where all of it is recorded.
        if let (Some(new), Some(old)) = (&mut new, &old) {
            for (cell, before) in new.iter_mut().zip(old) {
                if *cell == Cell::Unchanged {
                    *cell = before.clone();
                }
            }
        }
        let org = table
            .org
            .and_then(|org| match table.cell(new.as_ref().or(old.as_ref())?, org) {
                Cell::Text(text) => Uuid::try_parse_ascii(text).ok().map(OrgId),
                _ => None,
            });
        let bytes = |tuple: &Option<Tuple>| {
            let cells = tuple.iter().flatten();
            cells
                .map(|cell| {
                    if let Cell::Text(text) = cell {
                        48 + text.len()
                    } else {
                        48
                    }
                })
                .sum::<usize>()
        };
        let size = 160 + bytes(&old) + bytes(&new);
        Self {
            position,
            committed,
            table,
            action,
            old,
            new,
            org,
            size,
        }
    }

    /// The row that a subscription is about: the new one, or the one that is gone.
    pub fn row(&self) -> Option<&Tuple> {
        self.new.as_ref().or(self.old.as_ref())
    }
}
