//! `tenon audit`: whether the trails of what was done are as they were sealed.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Context;
use tenon_audit::verify::{Head, Report, verify};
use tenon_sdk::{config::Config, db::connect};
use uuid::Uuid;

use crate::reach::with_database;

/// Looks after the trails.
#[derive(Clone, Debug, clap::Args)]
pub struct Audit {
    #[command(subcommand)]
    verb: Verb,
    /// Where the private database lives.
    #[arg(long, global = true)]
    data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Verb {
    /// Finds entries that were changed, removed, reordered or added, and says where; ends with an error if there are any.
    Verify {
        /// One organisation, by its name in addresses or its id; otherwise all.
        #[arg(long)]
        org: Option<String>,
        /// A seal of that organisation as it was shown before, like 12:9f86d0…: it has to be there still.
        #[arg(long, requires = "org", value_name = "NUMBER:HASH")]
        head: Option<String>,
    },
}

impl Audit {
    /// Does it; gives what to tell, and whether all is well.
    pub async fn run(&self, config: &Config) -> anyhow::Result<(String, bool)> {
        let data_dir = self.data_dir.as_ref().unwrap_or(&config.database.data_dir);
        with_database(config, data_dir, async |database| self.run_on(database).await).await
    }

    async fn run_on(&self, database: &tokio_postgres::Config) -> anyhow::Result<(String, bool)> {
        let Verb::Verify { org, head } = &self.verb;
        let noted = match head {
            Some(text) => Some(Head::parse(text).context("--head is NUMBER:HASH, as it was shown")?),
            None => None,
        };
        let (mut client, task) = connect(database).await?;
        let org = match org {
            Some(name) => Some(organization(&client, name).await?),
            None => None,
        };
        let reports = verify(&mut client, org, noted.as_ref()).await?;
        drop(client);
        _ = task.await;
        tell(&reports)
    }
}

async fn organization(client: &tokio_postgres::Client, name: &str) -> anyhow::Result<Uuid> {
    if let Ok(id) = Uuid::try_parse(name) {
        return Ok(id);
    }
    let row = client
        .query_opt("select id from tenancy.organizations where slug = $1", &[&name])
        .await?;
    Ok(row
        .with_context(|| format!("there is no organisation {name}"))?
        .get(0))
}

fn tell(reports: &[Report]) -> anyhow::Result<(String, bool)> {
    let mut text = String::new();
    let mut faults = 0;
    for report in reports {
        let head = report
            .head
            .as_ref()
            .map_or("none".to_owned(), ToString::to_string);
        writeln!(
            text,
            "{}  {} entries in {} seals, {} expired, {} not sealed yet; head {head}",
            report.org, report.entries, report.seals, report.expired, report.waiting
        )?;
        for fault in &report.faults {
            writeln!(text, "  FAULT: {fault}")?;
        }
        faults += report.faults.len();
    }
    if faults > 0 {
        writeln!(text, "{faults} faults")?;
    } else {
        writeln!(text, "{} trails are as they were sealed", reports.len())?;
    }
    Ok((text, faults == 0))
}
