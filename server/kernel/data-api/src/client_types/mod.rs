//! Types of the exposed schemas for programs that use the data API: TypeScript as `@supabase/supabase-js` takes it, and
//! Rust structs for serde. Pure: catalogues and the schema cache become text.

mod read;
mod row;
mod rust;
mod typescript;

pub use read::read;

use crate::catalogue::Catalogue;
use crate::schema_cache::SchemaCache;

/// What types are made of.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The schemas, the default first.
    pub catalogues: &'a [Catalogue],
    /// Their relationships.
    pub cache: &'a SchemaCache,
}

/// The `Database` type of `createClient<Database>()` with its helpers.
pub fn typescript(source: Source<'_>) -> String {
    typescript::generate(source)
}

/// One module a schema, with a struct for every row, insert, update and call.
pub fn rust(source: Source<'_>) -> String {
    rust::generate(source)
}
