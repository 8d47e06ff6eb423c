//! `tenon migrate`: what a new version changes in the database, before or in place of its first start.

use std::{fmt::Write, path::PathBuf, sync::Arc};

use tenon_sdk::{
    Result,
    config::Config,
    db::{Pending, connect, pending},
};
use tenon_services::{identity::Identity, server::all_modules};
use tokio_postgres::Client;

use crate::reach::{database_of, with_database};

/// Applies what is new of the database's structure, as a starting server does.
#[derive(Clone, Debug, clap::Args)]
pub struct Migrate {
    /// Only tells what would be applied.
    #[arg(long)]
    plan: bool,
    /// With --plan: tells the statements, too.
    #[arg(long, requires = "plan")]
    sql: bool,
    /// Where the private database lives.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

impl Migrate {
    /// Does it; gives what to tell.
    pub async fn run(&self, config: &Config) -> anyhow::Result<String> {
        let data_dir = self.data_dir.as_ref().unwrap_or(&config.database.data_dir);
        with_database(config, data_dir, async |database| {
            let (client, task) = connect(database).await?;
            let steps = plan(&client).await?;
            drop(client);
            _ = task.await;
            if !self.plan {
                let db = database_of(config, database)?;
                with_modules(async |modules| db.migrate(modules).await).await?;
            }
            self.told(&steps)
        })
        .await
    }

    fn told(&self, steps: &[Pending]) -> anyhow::Result<String> {
        let mut text = String::new();
        for step in steps {
            writeln!(text, "{}/{}", step.module, step.name)?;
            if self.sql {
                writeln!(text, "{}", step.sql)?;
            }
        }
        let count = steps.len();
        if self.plan {
            writeln!(text, "{count} to be applied")?;
        } else {
            writeln!(text, "{count} applied")?;
        }
        Ok(text)
    }
}

/// What is not applied yet.
pub(crate) async fn plan(client: &Client) -> Result<Vec<Pending>> {
    with_modules(async |modules| pending(client, modules).await).await
}

type Steps<'a> = (&'a str, &'a str, &'a [tenon_sdk::db::Migration]);

async fn with_modules<T>(work: impl AsyncFnOnce(&[Steps<'_>]) -> Result<T>) -> Result<T> {
    let modules = all_modules(&Identity::describe_only(), crate::modules(&Arc::default()));
    let steps: Vec<_> = modules.iter().map(|m| (m.name, m.schema, m.migrations)).collect();
    work(&steps).await
}
