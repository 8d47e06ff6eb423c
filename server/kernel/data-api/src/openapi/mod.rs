//! The description of an exposed schema: Swagger 2.0 as clients of the dialect know it, and `OpenAPI` 3.1 beside it.
//! Pure: a [`Catalogue`], the keys that the schema cache knows, and what the operator decided become a document.

mod address;
mod comment;
mod swagger;
mod three;
mod value;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde_json::Value;

pub use address::Address;

use crate::api_request::MediaType;
use crate::catalogue::{Catalogue, Relation, Routine};
use crate::schema_cache::{QualifiedName, SchemaCache};
use crate::settings::{OpenApiMode, Settings};

/// The version of the dialect that documents speak of.
const DIALECT: &str = "16.1";
/// Where the dialect is documented.
const DOCUMENTATION: &str = "https://postgrest.org/en/v16/references/api.html";

/// Which standard a document follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standard {
    /// Swagger 2.0
    Swagger,
    /// `OpenAPI` 3.1
    Three,
}

impl Standard {
    /// The standard that somebody accepts, if any: 3.1 by name and version, else 2.0.
    pub fn negotiate(accept: &[MediaType]) -> Option<Self> {
        accept.iter().find_map(|media| match media {
            MediaType::Any | MediaType::Json => Some(Self::Swagger),
            MediaType::Other(text) => {
                let text = text.to_ascii_lowercase();
                let mut parts = text.split(';').map(str::trim);
                let kind = parts.next()?;
                let version = parts.find_map(|parameter| parameter.strip_prefix("version="));
                match (kind, version.map(|version| version.trim_matches('"'))) {
                    ("application/openapi+json", None | Some("2.0" | "2")) => Some(Self::Swagger),
                    ("application/openapi+json" | "application/vnd.oai.openapi+json", Some("3.1" | "3")) => {
                        Some(Self::Three)
                    }
                    ("application/vnd.oai.openapi+json", None) => Some(Self::Three),
                    _ => None,
                }
            }
            _ => None,
        })
    }

    /// Value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Swagger => "application/openapi+json; charset=utf-8",
            Self::Three => "application/vnd.oai.openapi+json;version=3.1; charset=utf-8",
        }
    }
}

/// The keys of a relation, as far as a description tells them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// Columns of the primary key.
    pub primary: Vec<String>,
    /// Table and column that a column refers to.
    pub foreign: HashMap<String, (String, String)>,
}

/// Everything that a document needs beside the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which standard.
    pub standard: Standard,
    /// What the caller may not touch is described too.
    pub everything: bool,
    /// A token is described.
    pub security: bool,
    /// Where the API is.
    pub address: Address,
    /// Schemas that need not be named in types of arguments.
    pub search_path: Vec<String>,
    /// Keys by the relation's name.
    pub keys: HashMap<String, Keys>,
}

impl Options {
    /// Gathers them for one schema.
    pub fn new(schema: &str, standard: Standard, cache: &SchemaCache, settings: &Settings) -> Self {
        let keys = cache
            .tables()
            .filter(|table| table.qualified.schema == schema)
            .map(|table| {
                let keys = Keys {
                    primary: table.public_key().map(str::to_owned).collect(),
                    foreign: foreign_keys(cache, &table.qualified),
                };
                (table.qualified.name.clone(), keys)
            })
            .collect();
        Self {
            standard,
            everything: settings.openapi_mode == OpenApiMode::IgnorePrivileges,
            security: settings.openapi_security_active,
            address: Address::new(
                settings.openapi_server_proxy_uri.as_deref(),
                &settings.server_host,
                settings.server_port,
            ),
            search_path: vec![schema.to_owned(), "public".to_owned()],
            keys,
        }
    }

    /// The document.
    pub fn describe(&self, catalogue: &Catalogue) -> Value {
        match self.standard {
            Standard::Swagger => swagger::document(catalogue, self),
            Standard::Three => three::document(catalogue, self),
        }
    }

    fn relations<'c>(&self, catalogue: &'c Catalogue) -> impl Iterator<Item = &'c Relation> {
        let everything = self.everything;
        catalogue
            .relations
            .iter()
            .filter(move |relation| everything || relation.accessible)
    }

    /// Functions by name; of overloads the one with most arguments.
    fn functions<'c>(&self, catalogue: &'c Catalogue) -> Vec<&'c Routine> {
        let mut found: Vec<&Routine> = Vec::new();
        for routine in &catalogue.functions {
            if !self.everything && !routine.accessible || !catalogue.is_callable(routine) {
                continue;
            }
            match found.last_mut() {
                Some(last) if last.name == routine.name => *last = routine,
                _ => found.push(routine),
            }
        }
        found
    }
}

/// What single columns refer to; a base table rather than a view of it.
fn foreign_keys(cache: &SchemaCache, table: &QualifiedName) -> HashMap<String, (String, String)> {
    let mut found: HashMap<String, (bool, (String, String))> = HashMap::new();
    for relationship in cache.relationships(table) {
        let Some((near, far)) = relationship.key_pair() else {
            continue;
        };
        let is_view = cache.is_view(&relationship.foreign_table);
        let target = (relationship.foreign_table.name.clone(), far.to_owned());
        match found.get(near) {
            Some((false, _)) => {}
            Some((true, _)) if is_view => {}
            _ => {
                found.insert(near.to_owned(), (is_view, target));
            }
        }
    }
    found
        .into_iter()
        .map(|(column, (_, target))| (column, target))
        .collect()
}
