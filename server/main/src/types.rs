//! `tenon types`: types of the exposed schemas, from the database that the server uses or from any other.

use anyhow::{Context, anyhow};
use tenon_data_api::client_types::{self, Source};
use tenon_sdk::{
    config::Config,
    db::{connect, parse_url},
};

use crate::reach::with_database;

/// For which language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// The `Database` type that `@supabase/supabase-js` takes.
    Typescript,
    /// Structs for serde.
    Rust,
}

/// What is printed, and from which database.
#[derive(Clone, Debug, clap::Args)]
pub struct Types {
    /// For which language.
    pub language: Language,
    /// A schema; may be repeated, the first is the default. Without it those that the apps show, or `public`.
    #[arg(long = "schema", env = "PGRST_DB_SCHEMAS", value_delimiter = ',')]
    pub schemas: Vec<String>,
    /// Address of a database that is not the server's.
    #[arg(long = "database", env = "PGRST_DB_URI", hide_env_values = true)]
    pub database: Option<String>,
}

impl Types {
    /// The text.
    pub async fn generate(&self, config: &Config) -> anyhow::Result<String> {
        let address = self
            .database
            .as_ref()
            .or(Some(&config.database.url))
            .filter(|url| !url.is_empty());
        if let Some(address) = address {
            return self.generate_from(&parse_url(address)?, config).await;
        }
        with_database(config, &config.database.data_dir, async |database| {
            self.generate_from(database, config).await
        })
        .await
    }

    async fn generate_from(
        &self,
        database: &tokio_postgres::Config,
        config: &Config,
    ) -> anyhow::Result<String> {
        let (client, task) = connect(database).await?;
        let schemas = self.wanted(&client, &config.rest.schemas).await?;
        let read = client_types::read(&client, &schemas).await;
        drop(client);
        _ = task.await;
        let (catalogues, cache) = read.map_err(|error| anyhow!(error))?;
        let source = Source {
            catalogues: &catalogues,
            cache: &cache,
        };
        Ok(match self.language {
            Language::Typescript => client_types::typescript(source),
            Language::Rust => client_types::rust(source),
        })
    }

    async fn wanted(&self, client: &tokio_postgres::Client, own: &[String]) -> anyhow::Result<Vec<String>> {
        let named: Vec<String> = self
            .schemas
            .iter()
            .map(|schema| schema.trim().to_owned())
            .filter(|schema| !schema.is_empty())
            .collect();
        if !named.is_empty() {
            return Ok(named);
        }
        let shown: Vec<String> = crate::modules(&std::sync::Arc::default())
            .iter()
            .flat_map(|module| module.api_schemas.iter().map(|schema| (*schema).to_owned()))
            .chain(own.iter().cloned())
            .collect();
        let rows = client
            .query(
                "select nspname::text from pg_catalog.pg_namespace where nspname = any($1) order by array_position($1, nspname::text)",
                &[&shown],
            )
            .await
            .context("the schemas cannot be read")?;
        let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        Ok(if found.is_empty() {
            vec!["public".to_owned()]
        } else {
            found
        })
    }
}
