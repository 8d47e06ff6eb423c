//! Relationships between relations, derived from foreign keys and functions.
//!
//! Foreign keys are composite as a rule (`(org_id, supplier_id)` → `(org_id, id)`), so a relationship is a list of
//! column pairs and joins on all of them.

use std::collections::HashMap;

use serde::Deserialize;

use super::table::TENANT_COLUMN;
use super::{Function, QualifiedName, Table};

/// A foreign key as the catalogue has it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ForeignKey {
    constraint: String,
    schema: String,
    table: String,
    foreign_schema: String,
    foreign_table: String,
    columns: Vec<(String, String)>,
    unique: bool,
}

/// The table between the two sides of a many-to-many relationship.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Junction {
    /// The table.
    pub table: QualifiedName,
    /// Foreign key to the near side.
    pub source_constraint: String,
    /// Pairs of near column and junction column.
    pub source: Vec<(String, String)>,
    /// Foreign key to the far side.
    pub target_constraint: String,
    /// Pairs of far column and junction column.
    pub target: Vec<(String, String)>,
}

/// How many rows stand on each side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cardinality {
    /// The near side holds the foreign key.
    ManyToOne,
    /// The far side holds the foreign key.
    OneToMany,
    /// Like one of the two above, with a unique key.
    OneToOne,
    /// Through a junction.
    ManyToMany(Junction),
    /// A function of the near row.
    Computed {
        /// The function.
        function: QualifiedName,
        /// It returns at most one row.
        to_one: bool,
    },
}

/// A way from one relation to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Relationship {
    /// Near side.
    pub table: QualifiedName,
    /// Far side.
    pub foreign_table: QualifiedName,
    /// How many.
    pub cardinality: Cardinality,
    /// The foreign key, or the function that computes it.
    pub constraint: String,
    /// Pairs of near and far column; empty with a junction or a function.
    pub columns: Vec<(String, String)>,
    /// The foreign key is on the near side.
    pub holds_key: bool,
}

impl Relationship {
    /// The embed is an object, not an array.
    pub fn is_to_one(&self) -> bool {
        match &self.cardinality {
            Cardinality::ManyToOne | Cardinality::OneToOne => true,
            Cardinality::OneToMany | Cardinality::ManyToMany(_) => false,
            Cardinality::Computed { to_one, .. } => *to_one,
        }
    }

    /// The one column that refers to another, and that other, of a foreign key on the near side.
    pub fn key_pair(&self) -> Option<(&str, &str)> {
        if !self.holds_key || !matches!(self.cardinality, Cardinality::ManyToOne | Cardinality::OneToOne) {
            return None;
        }
        let near = key_column(self.columns.iter().map(|(near, _)| near))?;
        let far = key_column(self.columns.iter().map(|(_, far)| far))?;
        Some((near, far))
    }

    /// `select=target(…)` means this relationship: by the far table, the constraint, or the foreign-key column.
    pub(crate) fn is_target(&self, target: &str) -> bool {
        match &self.cardinality {
            Cardinality::Computed { function, .. } => function.name == target,
            Cardinality::ManyToMany(_) => self.foreign_table.name == target,
            _ => {
                self.foreign_table.name == target
                    || self.constraint == target
                    || (self.holds_key
                        && key_column(self.columns.iter().map(|(near, _)| near)) == Some(target))
            }
        }
    }

    /// `!hint` means this relationship: by the constraint, the junction, or the foreign-key column.
    pub(crate) fn is_hinted(&self, hint: &str) -> bool {
        match &self.cardinality {
            Cardinality::Computed { .. } => false,
            Cardinality::ManyToMany(junction) => junction.table.name == hint,
            _ => {
                self.constraint == hint
                    || key_column(self.columns.iter().map(|(near, _)| near)) == Some(hint)
                    || key_column(self.columns.iter().map(|(_, far)| far)) == Some(hint)
            }
        }
    }
}

/// The one column of a key beside the organisation's.
fn key_column<'c>(columns: impl Iterator<Item = &'c String>) -> Option<&'c str> {
    let all: Vec<&str> = columns.map(String::as_str).collect();
    match all.as_slice() {
        [only] => Some(only),
        many => {
            let mut rest = many.iter().filter(|column| **column != TENANT_COLUMN);
            match (rest.next(), rest.next()) {
                (Some(only), None) => Some(only),
                _ => None,
            }
        }
    }
}

/// All relationships, in both directions.
pub(super) fn derive(
    keys: &[ForeignKey],
    tables: &HashMap<QualifiedName, Table>,
    functions: &[Function],
) -> Vec<Relationship> {
    let mut found: Vec<Relationship> = Vec::new();
    for function in functions {
        if let Some((from, to)) = function.computes_relationship() {
            found.push(Relationship {
                table: from.clone(),
                foreign_table: to.clone(),
                cardinality: Cardinality::Computed {
                    function: function.name.clone(),
                    to_one: function.one_row,
                },
                constraint: function.name.name.clone(),
                columns: Vec::new(),
                holds_key: false,
            });
        }
    }
    for key in keys {
        let near = QualifiedName::new(&key.schema, &key.table);
        let far = QualifiedName::new(&key.foreign_schema, &key.foreign_table);
        let swapped = key
            .columns
            .iter()
            .map(|(source, target)| (target.clone(), source.clone()))
            .collect();
        let (forth, back) = if key.unique {
            (Cardinality::OneToOne, Cardinality::OneToOne)
        } else {
            (Cardinality::ManyToOne, Cardinality::OneToMany)
        };
        found.push(Relationship {
            table: near.clone(),
            foreign_table: far.clone(),
            cardinality: forth,
            constraint: key.constraint.clone(),
            columns: key.columns.clone(),
            holds_key: true,
        });
        found.push(Relationship {
            table: far,
            foreign_table: near,
            cardinality: back,
            constraint: key.constraint.clone(),
            columns: swapped,
            holds_key: false,
        });
    }
    found.extend(through_junctions(keys, tables));
    found
}

/// A table whose primary key contains two foreign keys joins the tables they refer to.
fn through_junctions<'a>(
    keys: &'a [ForeignKey],
    tables: &'a HashMap<QualifiedName, Table>,
) -> impl Iterator<Item = Relationship> + 'a {
    let mut of_table: HashMap<QualifiedName, Vec<&ForeignKey>> = HashMap::new();
    for key in keys {
        of_table
            .entry(QualifiedName::new(&key.schema, &key.table))
            .or_default()
            .push(key);
    }
    of_table.into_iter().flat_map(move |(name, keys)| {
        let primary: &[String] = tables.get(&name).map_or(&[], |table| &table.primary_key);
        let in_primary = |key: &&&ForeignKey| key.columns.iter().all(|(column, _)| primary.contains(column));
        // The tenant column alone joins nothing: every table of an organisation has it.
        let joins = |key: &&&ForeignKey| key.columns.iter().any(|(column, _)| column != TENANT_COLUMN);
        let parts: Vec<&ForeignKey> = keys.iter().filter(in_primary).filter(joins).copied().collect();
        let mut pairs = Vec::new();
        for (i, source) in parts.iter().enumerate() {
            for (j, target) in parts.iter().enumerate() {
                if i != j {
                    pairs.push(many_to_many(&name, source, target));
                }
            }
        }
        pairs
    })
}

fn many_to_many(junction: &QualifiedName, source: &ForeignKey, target: &ForeignKey) -> Relationship {
    let swap = |key: &ForeignKey| {
        key.columns
            .iter()
            .map(|(here, there)| (there.clone(), here.clone()))
            .collect()
    };
    Relationship {
        table: QualifiedName::new(&source.foreign_schema, &source.foreign_table),
        foreign_table: QualifiedName::new(&target.foreign_schema, &target.foreign_table),
        cardinality: Cardinality::ManyToMany(Junction {
            table: junction.clone(),
            source_constraint: source.constraint.clone(),
            source: swap(source),
            target_constraint: target.constraint.clone(),
            target: swap(target),
        }),
        constraint: source.constraint.clone(),
        columns: Vec::new(),
        holds_key: false,
    }
}
