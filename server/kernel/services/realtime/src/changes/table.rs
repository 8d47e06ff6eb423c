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
    /// Its place in a row of the log; computed columns have none, nor have those that are not published.
    pub place: Option<usize>,
    /// Recorded of rows that are gone or were before.
    pub identity: bool,
    /// How it comes to its value, if nobody writes it.
    pub computed: Option<Computed>,
}

/// How a computed column comes to its value.
#[derive(Clone, Debug, Deserialize)]
pub struct Computed {
    /// SQL over other columns of the row.
    pub expression: String,
    /// Their names.
    pub columns: Vec<String>,
}

/// What is known of a column of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Known {
    /// The log carries it.
    Carried,
    /// It can be computed from what the log carries.
    Computed,
    /// Nothing: that it is not there does not make it NULL.
    Missing,
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
    computed: Option<Computed>,
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
                    computed: column.computed,
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

    /// The place of a column by its name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// What is known of a column of a row; `before` says that it is one as it was before, of which the log has the identity alone.
    pub fn known(&self, tuple: &Tuple, before: bool, column: usize) -> Known {
        let carries = |column: &Column| {
            let cell = column.place.and_then(|place| tuple.get(place));
            cell.is_some_and(|cell| *cell != Cell::Unchanged) && (column.identity || !before)
        };
        let column = &self.columns[column];
        if carries(column) {
            return Known::Carried;
        }
        let is_carried = |name: &String| {
            self.column(name)
                .is_some_and(|index| carries(&self.columns[index]))
        };
        match &column.computed {
            Some(computed) if computed.columns.iter().all(is_carried) => Known::Computed,
            _ => Known::Missing,
        }
    }

    /// The value of a column in a row of the log; [`Table::known`] says whether there is one.
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
            let places = table.columns.iter().filter(|column| column.identity);
            for place in places.filter_map(|column| column.place) {
                if let (Some(cell @ Cell::Unchanged), Some(before)) = (new.get_mut(place), old.get(place)) {
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

    /// Whether [`Change::row`] is one as it was before.
    pub fn is_gone(&self) -> bool {
        self.new.is_none()
    }

    /// The row that a subscription is about: the new one, or the one that is gone.
    pub fn row(&self) -> Option<&Tuple> {
        self.new.as_ref().or(self.old.as_ref())
    }
}
