//! Reads what the generators need.

use tokio_postgres::Client;

use crate::catalogue::{self, Catalogue};
use crate::schema_cache::{self, SchemaCache};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The catalogues of schemas in their order, and the schema cache. A schema that is not there is refused.
pub async fn read(client: &Client, schemas: &[String]) -> Result<(Vec<Catalogue>, SchemaCache), Failure> {
    let found = "select nspname::text from pg_catalog.pg_namespace where nspname = any($1)";
    let found = client.query(found, &[&schemas]).await?;
    for schema in schemas {
        if !found.iter().any(|row| row.get::<_, &str>(0) == schema) {
            return Err(format!("There is no schema {schema:?} in the database.").into());
        }
    }
    client.batch_execute("set jit = off").await?;
    let mut catalogues = Vec::with_capacity(schemas.len());
    for schema in schemas {
        let row = client.query_one(catalogue::QUERY, &[schema]).await?;
        let json: serde_json::Value = row.try_get(0)?;
        catalogues.push(serde_json::from_value(json)?);
    }
    let none: &[String] = &[];
    let row = client.query_one(schema_cache::QUERY, &[&schemas, &none]).await?;
    let json: serde_json::Value = row.try_get(0)?;
    let cache = SchemaCache::from_catalogue(&json.to_string())?;
    Ok((catalogues, cache))
}
