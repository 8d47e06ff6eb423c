//! `tenon explain-policy`: what row-level security does to a read, told to whoever may see the whole database.

use anyhow::{anyhow, bail};
use tenon_data_api::policies::{self, Question};
use tenon_sdk::{
    config::Config,
    db::{connect, parse_url},
};
use tenon_services::postgres::{Cluster, SUPERUSER};
use uuid::Uuid;

/// Which read, and whose.
#[derive(Clone, Debug, clap::Args)]
pub struct ExplainPolicy {
    /// Path and query below the API's root, such as '/orders?select=number&level=eq.critical'.
    pub target: String,
    /// Schema of the relation.
    #[arg(long)]
    pub schema: String,
    /// Role of the reader; for a person of Tenon's own database `authenticated` unless said otherwise.
    #[arg(long, required_unless_present = "user")]
    pub role: Option<String>,
    /// A person of Tenon's own database, by id.
    #[arg(long)]
    pub user: Option<Uuid>,
    /// The organisation asked for, by id or name; without it the person's default.
    #[arg(long, requires = "user")]
    pub organization: Option<String>,
    /// Claims of the token, as JSON.
    #[arg(long)]
    pub claims: Option<String>,
    /// Another setting that policies read, as name=value; may be repeated.
    #[arg(long = "setting", value_parser = pair)]
    pub settings: Vec<(String, String)>,
    /// Most rows of each relation that are judged.
    #[arg(long, default_value_t = 10_000)]
    pub rows: i64,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Address of a database that is not the server's, with a login that sees all rows.
    #[arg(long = "database", env = "PGRST_DB_URI", hide_env_values = true)]
    pub database: Option<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "write name=value".to_owned())
}

impl ExplainPolicy {
    /// The text.
    pub async fn answer(&self, config: &Config) -> anyhow::Result<String> {
        let address = self
            .database
            .as_ref()
            .or(Some(&config.database.url))
            .filter(|url| !url.is_empty());
        let database = match address {
            Some(address) => parse_url(address)?,
            None => match Cluster::running(&config.database.data_dir, SUPERUSER, &config.database.name) {
                Some(running) => running,
                None => bail!(
                    "no server runs on {}; start it, or name a database with --database or DATABASE_URL",
                    config.database.data_dir.display()
                ),
            },
        };
        let (client, task) = connect(&database).await?;
        let explained = policies::explain(&client, &self.question()).await;
        drop(client);
        _ = task.await;
        let report = explained.map_err(|error| anyhow!(error))?;
        Ok(if self.json {
            serde_json::to_string_pretty(&report)? + "\n"
        } else {
            report.to_string()
        })
    }

    fn question(&self) -> Question {
        Question {
            target: self.target.clone(),
            schemas: vec![self.schema.clone()],
            role: self.role.clone().unwrap_or_else(|| "authenticated".to_owned()),
            user: self.user,
            organization: self.organization.clone(),
            claims: self.claims.clone(),
            settings: self.settings.clone(),
            rows: self.rows,
        }
    }
}
