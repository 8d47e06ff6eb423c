//! What the planner knows of the database: relations, relationships and functions of the exposed schemas.
//!
//! Read by [`QUERY`] from PostgreSQL's catalogues alone, then plain data.

mod derive;
mod domains;
mod function;
mod node;
mod relationship;
mod role;
mod table;
mod view;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde::Deserialize;

pub(crate) use domains::ANY_MEDIA;
pub use domains::{MediaHandler, Representation};
pub use function::{Argument, Function, Returns};
pub use relationship::{Cardinality, Junction, Relationship};
pub use role::RoleSettings;
pub(crate) use table::TENANT_COLUMN;
pub use table::{Column, ColumnKind, Table};

/// To run before [`QUERY`] and that of the catalogue, in the same transaction: by the planner's estimates their plans are
/// worth compiling, which then takes ten times as long as they do.
pub const BEFORE_QUERY: &str = "set local jit = off";

/// Reads everything at once, for [`SchemaCache::from_catalogue`]: takes the exposed schemas and the further schemas of the
/// search path, both as `text[]`, and returns one row with one JSON column. Its first step empties the search path, until the
/// transaction ends, so that the catalogues print every name with its schema.
pub const QUERY: &str = concat!(
    "with path as materialized (select pg_catalog.set_config('search_path', '', true) as emptied)\n",
    "select json_build_object('tables', (\n",
    include_str!("tables.sql"),
    "\n), 'foreign_keys', (\n",
    include_str!("foreign_keys.sql"),
    "\n), 'views', (\n",
    include_str!("views.sql"),
    "\n), 'functions', (\n",
    include_str!("functions.sql"),
    "\n), 'domains', (\n",
    include_str!("domains.sql"),
    "\n), 'roles', (\n",
    include_str!("roles.sql"),
    "\n), 'schemas', (\n",
    include_str!("schemas.sql"),
    "\n)) from path where emptied is not null",
);

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

/// What [`QUERY`] returns.
#[derive(Deserialize)]
struct Catalogue {
    tables: Vec<Table>,
    foreign_keys: Vec<derive::ForeignKey>,
    functions: Vec<Function>,
    #[serde(default)]
    views: view::ViewCatalogue,
    #[serde(default)]
    domains: domains::Domains,
    #[serde(default)]
    roles: Vec<(String, String, String)>,
    #[serde(default)]
    schemas: HashMap<String, Option<String>>,
}

/// The whole cache; swapped as one.
#[derive(Debug, Clone, Default)]
pub struct SchemaCache {
    tables: HashMap<QualifiedName, Table>,
    /// By the table on the near side.
    relationships: HashMap<QualifiedName, Vec<Relationship>>,
    /// All overloads of a name that requests can call.
    functions: HashMap<QualifiedName, Vec<Function>>,
    /// Functions that compute columns, by the column's name.
    computed_columns: HashMap<String, Vec<Function>>,
    meanings: domains::Meanings,
    roles: HashMap<String, RoleSettings>,
    schemas: HashMap<String, Option<String>>,
}

impl SchemaCache {
    /// Builds the cache from what [`QUERY`] returned.
    pub fn from_catalogue(catalogue: &str) -> serde_json::Result<Self> {
        let read: Catalogue = serde_json::from_str(catalogue)?;
        let views = view::Views::new(&read.views);
        let mut view_keys = views.primary_keys();
        let mut tables = HashMap::with_capacity(read.tables.len());
        for mut table in read.tables {
            if let Some(key) = view_keys.remove(&table.qualified).filter(|_| table.view) {
                table.primary_key = key;
            }
            tables.insert(table.qualified.clone(), table);
        }
        let relationships = derive::derive(&read.foreign_keys, &views, &tables, &read.functions);
        let mut cache = Self {
            tables,
            relationships,
            meanings: read.domains.into(),
            schemas: read.schemas,
            ..Self::default()
        };
        for function in read.functions {
            if function.computes_column().is_some() {
                let named = cache.computed_columns.entry(function.name.name.clone());
                named.or_default().push(function.clone());
            }
            if function.is_callable() {
                let named = cache.functions.entry(function.name.clone());
                named.or_default().push(function);
            }
        }
        for (role, name, value) in read.roles {
            cache.roles.entry(role).or_default().set(name, value);
        }
        Ok(cache)
    }

    /// Builds the cache of a database without views from its relations, foreign keys, functions and domains.
    pub fn from_json(
        tables: &str,
        foreign_keys: &str,
        functions: &str,
        domains: &str,
    ) -> serde_json::Result<Self> {
        Self::from_catalogue(&format!(
            "{{\"tables\":{tables},\"foreign_keys\":{foreign_keys},\"functions\":{functions},\"domains\":{domains}}}"
        ))
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

    /// Relationships that start at a relation, in the order in which candidates are listed.
    pub fn relationships(&self, table: &QualifiedName) -> &[Relationship] {
        self.relationships.get(table).map_or(&[], Vec::as_slice)
    }

    /// Whether any foreign key or function relates it to something, be that exposed or not.
    pub(crate) fn is_related(&self, table: &QualifiedName) -> bool {
        self.relationships.contains_key(table)
    }

    /// Relations that have relationships into a schema, for hints.
    pub(crate) fn related(&self, schema: &str) -> impl Iterator<Item = &QualifiedName> {
        let into = move |relationship: &Relationship| relationship.foreign_table.schema == schema;
        self.relationships
            .iter()
            .filter(move |(_, relationships)| relationships.iter().any(into))
            .map(|(table, _)| table)
    }

    /// All overloads of a function.
    pub fn functions(&self, name: &QualifiedName) -> &[Function] {
        self.functions.get(name).map_or(&[], Vec::as_slice)
    }

    /// Names of all functions.
    pub fn function_names(&self) -> impl Iterator<Item = &QualifiedName> {
        self.functions.keys()
    }

    /// The function that computes a column of a relation: one argument of the row's type, one value back. One in the
    /// relation's own schema is preferred.
    pub fn computed_column(&self, table: &QualifiedName, column: &str) -> Option<&Function> {
        let named = self.computed_columns.get(column)?;
        let mut fitting = named
            .iter()
            .filter(|function| function.computes_column() == Some(table));
        let first = fitting.clone().next();
        fitting
            .find(|function| function.name.schema == table.schema)
            .or(first)
    }

    /// Settings of a role, if it has any.
    pub fn role(&self, role: &str) -> Option<&RoleSettings> {
        self.roles.get(role)
    }

    /// Comment on an exposed schema.
    pub fn schema_comment(&self, schema: &str) -> Option<&str> {
        self.schemas.get(schema)?.as_deref()
    }

    /// How many relations, relationships and functions it holds.
    pub fn size(&self) -> (usize, usize, usize) {
        let relationships = self.relationships.values().map(Vec::len).sum();
        let functions = self.functions.values().map(Vec::len).sum();
        (self.tables.len(), relationships, functions)
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
