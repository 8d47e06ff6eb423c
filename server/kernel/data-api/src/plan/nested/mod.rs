//! Plans inserts of rows with rows inside them.
//!
//! Every level becomes a step, an insert of its own, in the order in which the rows need each other: what a row refers to
//! before it, what refers to it after it. A step remembers the keys of its new rows for the steps that need them.

mod body;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bytes::Bytes;

use super::{Conflict, PayloadColumn, Planner};
use crate::api_request::{NestedColumns, NestedRows, Payload, Resolution};
use crate::error::{Error, Result};
use crate::schema_cache::{Cardinality, Junction, QualifiedName, Relationship, TENANT_COLUMN, Table};
use body::{Row, Shape};

/// Most levels of rows, the outermost counted.
const MAX_LEVELS: usize = 8;

/// An insert of rows with rows inside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nested {
    /// The inserts, in order.
    pub steps: Vec<NestedStep>,
    /// Which of them inserts the outermost rows.
    pub root: usize,
    /// Columns, with their types, by which the outermost rows are found again to be shown.
    pub identity: Vec<(String, String)>,
}

/// The insert of all rows of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NestedStep {
    /// The relation.
    pub table: QualifiedName,
    /// It belongs to tenants and the organisation is known.
    pub tenant: bool,
    /// Columns that the body fills.
    pub columns: Vec<PayloadColumn>,
    /// Columns that the keys of other steps fill.
    pub links: Vec<Link>,
    /// Upsert.
    pub conflict: Option<Conflict>,
    /// What is remembered of the new rows.
    pub keys: Vec<String>,
    /// Others need to know which key belongs to which row of the body, so each row is a statement.
    pub one_by_one: bool,
    /// JSON arrays of `{"row": {…}, "up": [number of a row, or null, for each link]}`; with one row each if `one_by_one`.
    pub rows: Vec<Bytes>,
}

/// New rows of one step refer to new rows of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The step that came before.
    pub step: usize,
    /// How its keys fill columns.
    pub pairs: Vec<LinkPair>,
    /// Not every row refers to one.
    pub optional: bool,
}

/// A column that a key fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPair {
    /// Column of the key.
    pub key: String,
    /// Column that it fills.
    pub column: String,
    /// Type of that.
    pub type_name: String,
}

/// How rows inside rows are related to these.
enum Kind<'c> {
    /// One row that must be there before.
    Before,
    /// Rows that refer to it.
    After {
        /// There is one at most.
        one: bool,
    },
    /// Rows, and a row between for each.
    Between(&'c Junction),
}

/// Rows inside the rows of a level.
struct Inside<'c> {
    asked: &'c NestedRows,
    relationship: &'c Relationship,
    kind: Kind<'c>,
}

/// A level of the body.
struct Level<'c> {
    table: &'c Table,
    columns: &'c NestedColumns,
    depth: usize,
    /// The level outside needs the keys of its rows.
    needed: bool,
    /// How its rows refer to those around them.
    above: Option<Link>,
    conflict: Option<Conflict>,
}

/// What the body of an insert is, where it may have rows inside its rows.
pub(super) enum Rows {
    /// It has.
    Nested(Nested),
    /// It has none, and its keys are these columns.
    Flat(Vec<PayloadColumn>),
}

impl Planner<'_> {
    /// Plans the steps of an insert; none if it is one of plain rows. `keys` are remembered of the outermost rows in any
    /// case, and with `shown` what finds them again.
    pub(super) fn nested(
        &self,
        table: &Table,
        conflict: Option<&Conflict>,
        keys: &[String],
        shown: bool,
    ) -> Result<Option<Rows>> {
        let Some(columns) = &self.request.query.nested else {
            return Ok(None);
        };
        let text = match &self.request.payload {
            Some(Payload::Json { text, .. }) => std::str::from_utf8(text).unwrap_or_default(),
            _ => "[]",
        };
        let rows = body::rows(text)?;
        let mut steps = Steps {
            planner: self,
            list: Vec::new(),
            needed: 0,
        };
        let columns = steps.found(table, columns, &rows)?;
        if columns.inside.is_empty() {
            let names = body::names(&columns, &rows)?;
            return Ok(Some(Rows::Flat(self.columns_of(table, &names)?)));
        }
        let level = Level {
            table,
            columns: &columns,
            depth: 1,
            needed: false,
            above: None,
            conflict: conflict.cloned(),
        };
        let inside = steps.insides(&level)?;
        let ignores = conflict.is_some_and(|conflict| conflict.resolution == Resolution::IgnoreDuplicates);
        if ignores && inside.iter().any(|inside| matches!(inside.kind, Kind::Before)) {
            return Err(Error::nested(
                "With resolution=ignore-duplicates, rows cannot bring rows that they refer to.",
            )
            .details("A row that exists already is left alone, and what it brings would refer to nothing."));
        }
        let root = steps.level(level, &inside, &rows)?;
        let identity = if shown {
            identity(table, &inside)?
        } else {
            Vec::new()
        };
        for name in identity.iter().chain(keys) {
            steps.remember(root, name);
        }
        let identity = identity.into_iter().map(|name| {
            let column = table
                .column(&name)
                .ok_or_else(|| Error::no_column(&table.qualified.name, &name))?;
            Ok((name, column.type_name.clone()))
        });
        Ok(Some(Rows::Nested(Nested {
            root,
            identity: identity.collect::<Result<_>>()?,
            steps: steps.list,
        })))
    }
}

/// The columns that tell the rows of a relation apart: its primary key, or what others refer to.
fn identity(table: &Table, inside: &[Inside<'_>]) -> Result<Vec<String>> {
    if !table.primary_key.is_empty() {
        return Ok(table.primary_key.clone());
    }
    let referred = inside.iter().find_map(|inside| match &inside.kind {
        Kind::Before => None,
        Kind::After { .. } => Some(&inside.relationship.columns),
        Kind::Between(junction) => Some(&junction.source),
    });
    let referred = referred.map(|pairs| pairs.iter().map(|(near, _)| near.clone()).collect());
    referred.ok_or_else(|| {
        Error::nested(format!(
            "The new rows of '{}' cannot be shown, since it has no primary key.",
            table.qualified.name
        ))
        .hint("Ask for return=minimal.")
    })
}

fn filled(column: &str, table: &Table) -> Error {
    Error::nested(format!(
        "The column '{column}' of '{}' is filled from the row around it.",
        table.qualified.name
    ))
    .hint("Leave it out of the rows, or of the 'columns' query parameter.")
}

/// Steps in the making.
struct Steps<'p, 'a> {
    planner: &'p Planner<'a>,
    list: Vec<NestedStep>,
    /// Rows that others need the keys of.
    needed: usize,
}

impl<'a> Steps<'_, 'a> {
    /// The columns of a level and the rows inside its rows, looked for in the rows themselves where that is wished.
    fn found<'c>(
        &self,
        table: &Table,
        columns: &'c NestedColumns,
        rows: &[Row<'_>],
    ) -> Result<Cow<'c, NestedColumns>> {
        if !columns.found {
            return Ok(Cow::Borrowed(columns));
        }
        let keys = if columns.all {
            body::keys(rows)
        } else {
            columns.names.clone()
        };
        let mut inside = Vec::new();
        for key in keys.into_iter().filter(|key| table.column(key).is_none()) {
            match self.planner.relationship(&table.qualified, &key, None) {
                Ok(_) => {}
                // Whoever wrote it meant a column.
                Err(error) if error.code == "PGRST200" => {
                    return Err(Error::no_column(&table.qualified.name, &key));
                }
                Err(error) => return Err(error),
            }
            inside.push(NestedRows {
                relation: key,
                alias: None,
                hint: None,
                columns: NestedColumns {
                    all: true,
                    found: true,
                    ..NestedColumns::default()
                },
            });
        }
        let mut names = columns.names.clone();
        names.retain(|name| inside.iter().all(|rows| rows.relation != *name));
        Ok(Cow::Owned(NestedColumns {
            names,
            inside,
            ..*columns
        }))
    }

    /// Finds out how the rows inside those of a level are related to them.
    fn insides<'c>(&self, level: &Level<'c>) -> Result<Vec<Inside<'c>>>
    where
        'a: 'c,
    {
        let from = &level.table.qualified;
        let mut found: Vec<Inside<'c>> = Vec::with_capacity(level.columns.inside.len());
        for asked in &level.columns.inside {
            let key = asked.key();
            if level.columns.names.iter().any(|name| name == key)
                || found.iter().any(|other| other.asked.key() == key)
            {
                return Err(Error::nested(format!(
                    "'{key}' stands twice among the columns of '{}'.",
                    from.name
                ))
                .hint("Give one of them another name: 'alias:relation(columns)'."));
            }
            let relationship = self
                .planner
                .relationship(from, &asked.relation, asked.hint.as_deref())?;
            let kind = match &relationship.cardinality {
                Cardinality::ManyToMany(junction) => Kind::Between(junction),
                Cardinality::Computed { .. } => {
                    return Err(Error::nested(format!("'{key}' is computed and takes no rows.")));
                }
                _ if relationship.holds_key => Kind::Before,
                cardinality => Kind::After {
                    one: *cardinality == Cardinality::OneToOne,
                },
            };
            found.push(Inside {
                asked,
                relationship,
                kind,
            });
        }
        Ok(found)
    }

    /// Plans a level and all inside it; the step of its own rows.
    fn level(&mut self, level: Level<'_>, inside: &[Inside<'_>], rows: &[Row<'_>]) -> Result<usize> {
        if level.depth > MAX_LEVELS {
            return Err(Error::nested(format!(
                "Rows stand in rows at most {MAX_LEVELS} levels deep."
            )));
        }
        let one_by_one = level.needed || inside.iter().any(|inside| !matches!(inside.kind, Kind::Before));
        if one_by_one {
            let most = self.planner.settings.nested_rows;
            self.needed = self.needed.saturating_add(rows.len());
            if self.needed > most {
                return Err(Error::nested_too_large(format!(
                    "There are more than {most} rows that others inside the request refer to."
                )));
            }
        }
        let mut links: Vec<Link> = level.above.into_iter().collect();
        // Whose a row is may be said again.
        let around: Vec<String> = links
            .iter()
            .flat_map(|link| &link.pairs)
            .map(|pair| pair.column.clone())
            .filter(|column| column != TENANT_COLUMN)
            .collect();
        let mut ups: Vec<Vec<Option<usize>>> = rows
            .iter()
            .map(|row| row.up.into_iter().map(Some).collect())
            .collect();
        for inside in inside.iter().filter(|inside| matches!(inside.kind, Kind::Before)) {
            let mut brought = Vec::new();
            for (index, row) in rows.iter().enumerate() {
                let found = row.inside(inside.asked.key(), Shape::One, index, level.table)?;
                ups[index].push((!found.is_empty()).then_some(brought.len()));
                brought.extend(found);
            }
            let own = inside.relationship.columns.iter().map(|(near, _)| near);
            if let Some(column) = own.into_iter().find(|column| around.contains(column)) {
                return Err(filled(column, level.table));
            }
            let step = self.rows_inside(inside, level.depth, true, None, &brought)?;
            let pairs = inside.relationship.columns.iter().map(|(near, far)| (far, near));
            links.push(self.link(step, level.table, pairs, true)?);
        }
        let names = body::names(level.columns, rows)?;
        if let Some(name) = names.iter().find(|name| around.contains(name)) {
            return Err(filled(name, level.table));
        }
        let step = self.list.len();
        self.list.push(NestedStep {
            table: level.table.qualified.clone(),
            tenant: self.planner.is_tenant(&level.table.qualified),
            columns: self.planner.columns_of(level.table, &names)?,
            links,
            conflict: level.conflict,
            keys: Vec::new(),
            one_by_one,
            rows: body::statements(rows, &names, &ups, one_by_one),
        });
        for inside in inside {
            match &inside.kind {
                Kind::Before => {}
                Kind::After { one } => {
                    let shape = if *one { Shape::One } else { Shape::Many };
                    let found = body::inside_all(rows, inside.asked.key(), shape, level.table)?;
                    let table = self.table(&inside.relationship.foreign_table)?;
                    let pairs = inside.relationship.columns.iter().map(|(near, far)| (near, far));
                    let link = self.link(step, table, pairs, false)?;
                    self.rows_inside(inside, level.depth, false, Some(link), &found)?;
                }
                Kind::Between(junction) => {
                    let mut found = body::inside_all(rows, inside.asked.key(), Shape::Many, level.table)?;
                    let near: Vec<Option<usize>> = found.iter_mut().map(|row| row.up.take()).collect();
                    let far = self.rows_inside(inside, level.depth, true, None, &found)?;
                    self.between(junction, step, far, &near)?;
                }
            }
        }
        Ok(step)
    }

    fn rows_inside(
        &mut self,
        inside: &Inside<'_>,
        depth: usize,
        needed: bool,
        above: Option<Link>,
        rows: &[Row<'_>],
    ) -> Result<usize> {
        let table = self.table(&inside.relationship.foreign_table)?;
        let columns = self.found(table, &inside.asked.columns, rows)?;
        let level = Level {
            table,
            columns: &columns,
            depth: depth + 1,
            needed,
            above,
            conflict: None,
        };
        let further = self.insides(&level)?;
        self.level(level, &further, rows)
    }

    /// The rows between two levels: row `n` of the far one belongs to row `near[n]` of the near one.
    fn between(
        &mut self,
        junction: &Junction,
        near_step: usize,
        far_step: usize,
        near: &[Option<usize>],
    ) -> Result<()> {
        let table = self.table(&junction.table)?;
        let source = junction.source.iter().map(|(near, between)| (near, between));
        let target = junction.target.iter().map(|(far, between)| (far, between));
        let links = vec![
            self.link(near_step, table, source, false)?,
            self.link(far_step, table, target, false)?,
        ];
        let rows: Vec<Row<'_>> = near.iter().map(|_| Row::default()).collect();
        let ups: Vec<Vec<Option<usize>>> = near
            .iter()
            .enumerate()
            .map(|(far, near)| vec![*near, Some(far)])
            .collect();
        self.list.push(NestedStep {
            table: table.qualified.clone(),
            tenant: self.planner.is_tenant(&table.qualified),
            columns: Vec::new(),
            links,
            conflict: None,
            keys: Vec::new(),
            one_by_one: false,
            rows: body::statements(&rows, &[], &ups, false),
        });
        Ok(())
    }

    /// A link to the keys of a step, from pairs of its column and the one to fill.
    fn link<'c>(
        &mut self,
        step: usize,
        table: &Table,
        pairs: impl Iterator<Item = (&'c String, &'c String)>,
        optional: bool,
    ) -> Result<Link> {
        let tenant = self.planner.is_tenant(&table.qualified);
        let mut filled = Vec::new();
        for (key, column) in pairs {
            // Which organisation it is, is known already.
            if tenant && key == TENANT_COLUMN && column == TENANT_COLUMN {
                continue;
            }
            let known = table
                .column(column)
                .ok_or_else(|| Error::no_column(&table.qualified.name, column))?;
            filled.push(LinkPair {
                key: key.clone(),
                column: column.clone(),
                type_name: known.type_name.clone(),
            });
            self.remember(step, key);
        }
        Ok(Link {
            step,
            pairs: filled,
            optional,
        })
    }

    fn remember(&mut self, step: usize, key: &str) {
        let keys = &mut self.list[step].keys;
        if !keys.iter().any(|known| known == key) {
            keys.push(key.to_owned());
        }
    }

    /// A relation that rows go to besides the one that the request names.
    fn table(&self, name: &QualifiedName) -> Result<&'a Table> {
        self.planner
            .cache
            .table(name)
            .ok_or_else(|| Error::no_table(&name.schema, &name.name, None))
    }
}
