//! What the planner knows of the database: relations, relationships and functions of the exposed schemas.
//!
//! Read by [`QUERIES`] from PostgreSQL's catalogues alone, then plain data.

mod domains;
mod function;
mod relationship;
mod table;

use std::collections::HashMap;

use serde::Deserialize;

pub(crate) use domains::ANY_MEDIA;
pub use domains::{MediaHandler, Representation};
pub use function::{Argument, Function, Returns};
pub use relationship::{Cardinality, Junction, Relationship};
pub(crate) use table::TENANT_COLUMN;
pub use table::{Column, ColumnKind, Table};

/// Reads tables, foreign keys, functions and domains, in this order. Each takes the exposed schemas as `text[]` and returns one
/// row with one JSON column.
pub const QUERIES: [&str; 4] = [
    include_str!("tables.sql"),
    include_str!("foreign_keys.sql"),
    include_str!("functions.sql"),
    include_str!("domains.sql"),
];

/// A schema and a name in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub struct QualifiedName {
    /// Schema; empty for a name without one.
    pub schema: String,
    /// Name.
    pub name: String,
}

impl QualifiedName {
    /// Joins the two.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            name: name.into(),
        }
    }
}

/// The whole cache; swapped as one.
#[derive(Debug, Clone, Default)]
pub struct SchemaCache {
    tables: HashMap<QualifiedName, Table>,
    /// By the table on the near side.
    relationships: HashMap<QualifiedName, Vec<Relationship>>,
    /// All overloads of a name.
    functions: HashMap<QualifiedName, Vec<Function>>,
    meanings: domains::Meanings,
}

impl SchemaCache {
    /// Builds the cache from what [`QUERIES`] returned.
    pub fn from_json(
        tables: &str,
        foreign_keys: &str,
        functions: &str,
        domains: &str,
    ) -> serde_json::Result<Self> {
        let domains: domains::Domains = serde_json::from_str(domains)?;
        let tables: Vec<Table> = serde_json::from_str(tables)?;
        let keys: Vec<relationship::ForeignKey> = serde_json::from_str(foreign_keys)?;
        let functions: Vec<Function> = serde_json::from_str(functions)?;
        let tables: HashMap<QualifiedName, Table> = tables
            .into_iter()
            .map(|table| (table.qualified.clone(), table))
            .collect();
        let mut relationships: HashMap<QualifiedName, Vec<Relationship>> = HashMap::new();
        for relationship in relationship::derive(&keys, &tables, &functions) {
            relationships
                .entry(relationship.table.clone())
                .or_default()
                .push(relationship);
        }
        let mut named: HashMap<QualifiedName, Vec<Function>> = HashMap::new();
        for function in functions {
            named.entry(function.name.clone()).or_default().push(function);
        }
        Ok(Self {
            tables,
            relationships,
            functions: named,
            meanings: domains.into(),
        })
    }

    /// A relation by its name.
    pub fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.tables.get(name)
    }

    /// Whether a relation is a view.
    pub fn is_view(&self, name: &QualifiedName) -> bool {
        self.tables.get(name).is_some_and(|table| table.view)
    }

    /// All relations.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// Relationships that start at a relation.
    pub fn relationships(&self, table: &QualifiedName) -> &[Relationship] {
        self.relationships.get(table).map_or(&[], Vec::as_slice)
    }

    /// Relations that have relationships, for hints.
    pub(crate) fn related(&self) -> impl Iterator<Item = &QualifiedName> {
        self.relationships.keys()
    }

    /// All overloads of a function.
    pub fn functions(&self, name: &QualifiedName) -> &[Function] {
        self.functions.get(name).map_or(&[], Vec::as_slice)
    }

    /// Names of all functions.
    pub fn function_names(&self) -> impl Iterator<Item = &QualifiedName> {
        self.functions.keys()
    }

    /// The function that computes a column of a relation: one argument of the row's type, one value back.
    pub fn computed_column(&self, table: &QualifiedName, column: &str) -> Option<&Function> {
        let functions = self.functions.get(&QualifiedName::new(&table.schema, column))?;
        functions
            .iter()
            .find(|function| function.computes_column_of(table))
    }

    /// What makes an answer of a media type: for a relation or function, or with none for any relation.
    pub fn media_handler(&self, target: Option<&QualifiedName>, media: &str) -> Option<&MediaHandler> {
        self.meanings.handler(target, media)
    }

    /// How values of a type are shown and read, if its casts say so.
    pub fn representation(&self, type_name: &str) -> Option<&Representation> {
        self.meanings.representation(type_name)
    }

    /// `PostGIS`'s function that shows a row as a feature.
    pub fn geojson(&self) -> Option<&QualifiedName> {
        self.meanings.geojson.as_ref()
    }
}
