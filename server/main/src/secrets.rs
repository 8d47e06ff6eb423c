//! `tenon secrets`: how the keys stand that protect what is sealed in the database, and new ones in their place.

use std::{io::Write, path::PathBuf, sync::Arc};

use tenon_sdk::{config::Config, env::Env};
use tenon_secrets::{Keeper, Progress, Rotation};
use tenon_services::{identity::Identity, server::all_modules};

use crate::reach::{database_of, with_database};

/// Shows or renews the keys that secrets are sealed with.
#[derive(Clone, Debug, clap::Args)]
pub struct Secrets {
    #[command(subcommand)]
    verb: Verb,
    /// Where the private database and the master keys live.
    #[arg(long, global = true)]
    data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Verb {
    /// Tells where the master keys are and what they wrap.
    Status,
    /// Makes a new master key and wraps every data key with it, beside running servers. If that was broken off, it goes on.
    Rotate {
        /// Makes new data keys, too, and seals every value anew with them.
        #[arg(long)]
        values: bool,
    },
}

impl Secrets {
    /// Does it, and tells how it goes.
    pub async fn run(self, mut config: Config, told: &mut (impl Write + Send)) -> anyhow::Result<()> {
        if let Some(data_dir) = self.data_dir {
            config.database.data_dir = data_dir;
        }
        let data_dir = config.database.data_dir.clone();
        with_database(&config, &data_dir, async |database| {
            let rotation = rotation(&config, database)?;
            match self.verb {
                Verb::Status => {}
                Verb::Rotate { values } => {
                    let mut failed = None;
                    let mut tell = |progress| {
                        if let Err(error) = writeln!(told, "{}", words(&progress)).and_then(|()| told.flush())
                        {
                            failed.get_or_insert(error);
                        }
                    };
                    rotation.rewrap(&mut tell).await?;
                    if values {
                        rotation.reseal(&mut tell).await?;
                    }
                    if let Some(error) = failed {
                        return Err(error.into());
                    }
                }
            }
            let status = rotation.status().await?;
            writeln!(
                told,
                "Master keys are in {}; version {} is the newest.",
                status.home, status.newest
            )?;
            writeln!(
                told,
                "{} data keys, {} of them not yet under the newest master key.",
                status.data_keys, status.behind
            )?;
            Ok(())
        })
        .await
    }
}

pub(crate) fn rotation(config: &Config, database: &tokio_postgres::Config) -> anyhow::Result<Rotation> {
    let db = database_of(config, database)?;
    let env = Env::real();
    let keeper = Keeper::new(db.clone(), env.clone(), config)?;
    let identity = Identity::new(db.clone(), env, config.clone(), Arc::new(keeper.clone()));
    let columns = all_modules(&identity, crate::modules(&Arc::default()))
        .into_iter()
        .flat_map(|module| module.sealed)
        .collect();
    Ok(Rotation::new(keeper, db, columns))
}

fn words(progress: &Progress) -> String {
    match progress {
        Progress::Master { version } => format!("There is a new master key, version {version}."),
        Progress::Wrapped { done, total } => format!("{done} of {total} data keys wrapped anew."),
        Progress::Sealed { column, done, total } => {
            format!("{done} of {total} values of {column} sealed anew.")
        }
        Progress::Dropped { keys } => format!("{keys} old data keys dropped, which seal nothing any more."),
    }
}
