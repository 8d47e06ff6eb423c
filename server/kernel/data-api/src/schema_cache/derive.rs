//! Derives relationships from foreign keys, from the views that show their columns, and from functions.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::relationship::{Cardinality, Junction, Relationship};
use super::table::TENANT_COLUMN;
use super::view::{Shown, Views};
use super::{Function, QualifiedName, Table};

/// A view may show a key's columns several times; so many of the combinations count.
const MAX_CHOICES: usize = 64;

/// A foreign key as the catalogue has it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ForeignKey {
    pub constraint: String,
    pub schema: String,
    pub table: String,
    pub foreign_schema: String,
    pub foreign_table: String,
    pub columns: Vec<(String, String)>,
    pub unique: bool,
}

type Tables = HashMap<QualifiedName, Table>;

/// One end of a foreign key: the table itself, or a view that shows all its columns there.
#[derive(Clone)]
struct Side {
    relation: QualifiedName,
    columns: Vec<String>,
    view: bool,
}

/// All relationships between the known relations, in both directions, by the relation on the near side.
pub(super) fn derive(
    keys: &[ForeignKey],
    views: &Views,
    tables: &Tables,
    functions: &[Function],
) -> HashMap<QualifiedName, Vec<Relationship>> {
    let mut found = by_keys(keys, views, tables);
    found.extend(through_junctions(&found, tables));
    let computed: Vec<Relationship> = functions
        .iter()
        .filter_map(|function| by_function(function, tables))
        .collect();
    // What somebody wrote under the name of the far relation stands in place of what was found.
    let overridden: HashSet<(&QualifiedName, &QualifiedName)> = computed
        .iter()
        .filter_map(|relationship| match &relationship.cardinality {
            Cardinality::Computed { function, .. } => Some((&relationship.table, function)),
            _ => None,
        })
        .collect();
    found.retain(|relationship| !overridden.contains(&(&relationship.table, &relationship.foreign_table)));
    found.extend(computed);
    let mut by_table: HashMap<QualifiedName, Vec<Relationship>> = HashMap::new();
    // Whatever has a key is known to be related, if only to what is not exposed.
    for key in keys {
        let ends = [
            (&key.schema, &key.table),
            (&key.foreign_schema, &key.foreign_table),
        ];
        for end in ends.map(|(schema, table)| QualifiedName::new(schema, table)) {
            if tables.contains_key(&end) {
                by_table.entry(end).or_default();
            }
        }
    }
    for relationship in found {
        by_table
            .entry(relationship.table.clone())
            .or_default()
            .push(relationship);
    }
    for relationships in by_table.values_mut() {
        relationships.sort_by(|one, other| one.rank().cmp(&other.rank()));
    }
    by_table
}

fn by_keys(keys: &[ForeignKey], views: &Views, tables: &Tables) -> Vec<Relationship> {
    let mut found = Vec::new();
    for key in keys {
        let (near, far): (Vec<&String>, Vec<&String>) = key
            .columns
            .iter()
            .map(|(source, target)| (source, target))
            .unzip();
        let near = sides(&QualifiedName::new(&key.schema, &key.table), &near, views, tables);
        let far = sides(
            &QualifiedName::new(&key.foreign_schema, &key.foreign_table),
            &far,
            views,
            tables,
        );
        for near in &near {
            for far in &far {
                found.push(between(key, near, far, true));
                found.push(between(key, far, near, false));
            }
        }
    }
    found
}

fn between(key: &ForeignKey, near: &Side, far: &Side, holds_key: bool) -> Relationship {
    Relationship {
        table: near.relation.clone(),
        foreign_table: far.relation.clone(),
        cardinality: match (key.unique, holds_key) {
            (true, _) => Cardinality::OneToOne,
            (false, true) => Cardinality::ManyToOne,
            (false, false) => Cardinality::OneToMany,
        },
        constraint: key.constraint.clone(),
        columns: near
            .columns
            .iter()
            .cloned()
            .zip(far.columns.iter().cloned())
            .collect(),
        holds_key,
        to_view: far.view,
    }
}

/// The table, if it is known, and the known views that show all of these columns.
fn sides(table: &QualifiedName, columns: &[&String], views: &Views, tables: &Tables) -> Vec<Side> {
    let mut found = Vec::new();
    if tables.contains_key(table) {
        found.push(Side {
            relation: table.clone(),
            columns: columns.iter().map(|&column| column.clone()).collect(),
            view: false,
        });
    }
    for shown in views
        .over(table)
        .iter()
        .filter(|shown| tables.contains_key(&shown.view))
    {
        found.extend(choices(shown, columns).into_iter().map(|columns| Side {
            relation: shown.view.clone(),
            columns,
            view: true,
        }));
    }
    found
}

/// Every way in which a view names these columns of its table.
fn choices(shown: &Shown, columns: &[&String]) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = vec![Vec::new()];
    for column in columns {
        let Some(names) = shown.columns.get(*column) else {
            return Vec::new();
        };
        found = found
            .iter()
            .flat_map(|chosen| {
                names.iter().map(move |name| {
                    let mut chosen = chosen.clone();
                    chosen.push(name.clone());
                    chosen
                })
            })
            .take(MAX_CHOICES)
            .collect();
    }
    found
}

/// A relation whose primary key contains two foreign keys joins what they refer to.
fn through_junctions(direct: &[Relationship], tables: &Tables) -> Vec<Relationship> {
    let mut parts: HashMap<&QualifiedName, Vec<&Relationship>> = HashMap::new();
    for relationship in direct {
        let key = tables
            .get(&relationship.table)
            .map_or(&[][..], |table| table.primary_key.as_slice());
        let in_key = || {
            relationship
                .columns
                .iter()
                .all(|(column, _)| key.contains(column))
        };
        // The tenant column alone joins nothing: every table of an organisation has it.
        let joins = || {
            relationship
                .columns
                .iter()
                .any(|(column, _)| column != TENANT_COLUMN)
        };
        if relationship.cardinality == Cardinality::ManyToOne && in_key() && joins() {
            parts.entry(&relationship.table).or_default().push(relationship);
        }
    }
    let mut found = Vec::new();
    for parts in parts.values() {
        for source in parts {
            for target in parts {
                if source.constraint != target.constraint {
                    found.push(many_to_many(source, target));
                }
            }
        }
    }
    found
}

fn many_to_many(source: &Relationship, target: &Relationship) -> Relationship {
    let swap = |part: &Relationship| {
        part.columns
            .iter()
            .map(|(here, there)| (there.clone(), here.clone()))
            .collect()
    };
    Relationship {
        table: source.foreign_table.clone(),
        foreign_table: target.foreign_table.clone(),
        cardinality: Cardinality::ManyToMany(Junction {
            table: source.table.clone(),
            source_constraint: source.constraint.clone(),
            target_constraint: target.constraint.clone(),
            source: swap(source),
            target: swap(target),
        }),
        constraint: source.constraint.clone(),
        columns: Vec::new(),
        holds_key: false,
        to_view: target.to_view,
    }
}

fn by_function(function: &Function, tables: &Tables) -> Option<Relationship> {
    let (from, to) = function.computes_relationship()?;
    let far = tables.get(to)?;
    tables.contains_key(from).then(|| Relationship {
        table: from.clone(),
        foreign_table: to.clone(),
        cardinality: Cardinality::Computed {
            function: function.name.clone(),
            to_one: function.one_row,
        },
        constraint: function.name.name.clone(),
        columns: Vec::new(),
        holds_key: false,
        to_view: far.view,
    })
}
