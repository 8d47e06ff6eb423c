//! `tenon backup` and `tenon restore`.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::bail;
use tenon_backup::{Backup as Made, End, Key, Opening, Progress, Restore as Into};
use tenon_sdk::{config::Config, env::Env};
use tenon_services::{
    identity::Identity,
    postgres::{Cluster, ClusterOptions, SUPERUSER},
    server::all_modules,
};
use tenon_storage::store;

use crate::reach::{database_of, with_database};

/// The variable with a passphrase: arguments are seen by everybody on the machine.
const PASSPHRASE: &str = "TENON_BACKUP_PASSPHRASE";

/// Writes the whole installation into one file, beside running servers.
#[derive(Clone, Debug, clap::Args)]
pub struct Backup {
    /// The file; it must not be there yet.
    file: PathBuf,
    /// Seals it for whoever has this age identity (age1…). May be repeated. Otherwise `TENON_BACKUP_PASSPHRASE` seals it.
    #[arg(long, value_name = "AGE1…")]
    recipient: Vec<String>,
    /// Does not seal it.
    #[arg(long, conflicts_with = "recipient")]
    unsealed: bool,
    /// Puts the file of master keys into it, which opens every secret in it.
    #[arg(long)]
    with_master_key: bool,
    /// Leaves out tables that were made by hand, in place of refusing.
    #[arg(long)]
    without_other_tables: bool,
    /// Where the private database and files live.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

impl Backup {
    /// Does it, and tells how it goes.
    pub async fn run(self, mut config: Config, told: &mut (impl Write + Send)) -> anyhow::Result<()> {
        if let Some(data_dir) = &self.data_dir {
            config.database.data_dir.clone_from(data_dir);
        }
        let key = self.key()?;
        let master_file = config.secrets.file(&config.database.data_dir);
        let in_file = master_file.is_some();
        let store = store::open(&config, &Env::real())?;
        let end = with_database(&config, &config.database.data_dir, async |database| {
            let backup = Made {
                database,
                store: store.as_ref(),
                key,
                master_keys: master_file.as_deref().filter(|_| self.with_master_key),
                needs_master_file: in_file,
                without_strangers: self.without_other_tables,
                now: Env::real().now(),
            };
            let mut tell = |progress| _ = writeln!(told, "{}", words(&progress));
            Ok(tenon_backup::make(&backup, &self.file, &mut tell).await?)
        })
        .await?;
        for name in &end.missing {
            writeln!(told, "MISSING: the content of {name} is not in the store")?;
        }
        let size = std::fs::metadata(&self.file)?.len();
        writeln!(told, "{} ({size} bytes): {}", self.file.display(), sums(&end))?;
        if in_file && !self.with_master_key {
            writeln!(
                told,
                "The keys of secrets are not in it. Keep {} apart from it, and keep it.",
                config
                    .secrets
                    .file(&config.database.data_dir)
                    .unwrap_or_default()
                    .display()
            )?;
        }
        Ok(())
    }

    fn key(&self) -> anyhow::Result<Key> {
        if self.unsealed {
            return Ok(Key::None);
        }
        if !self.recipient.is_empty() {
            return Ok(Key::Recipients(self.recipient.clone()));
        }
        match passphrase() {
            Some(words) => Ok(Key::Passphrase(words)),
            None => {
                bail!("give --recipient, or set {PASSPHRASE}; --unsealed writes it for everybody to read")
            }
        }
    }
}

/// Reads such a file into a new installation.
#[derive(Clone, Debug, clap::Args)]
pub struct Restore {
    /// The file.
    file: PathBuf,
    /// The file of the age identity that it was sealed for. Otherwise `TENON_BACKUP_PASSPHRASE` opens it.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Only reads it, to see whether it is whole.
    #[arg(long)]
    check: bool,
    /// Where the private database and files will live.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

impl Restore {
    /// Does it, and tells how it goes.
    pub async fn run(self, mut config: Config, told: &mut (impl Write + Send)) -> anyhow::Result<()> {
        if let Some(data_dir) = &self.data_dir {
            config.database.data_dir.clone_from(data_dir);
        }
        let opening = match (&self.identity, passphrase()) {
            (Some(file), _) => Opening::Identities(file.clone()),
            (None, Some(words)) => Opening::Passphrase(words),
            (None, None) => Opening::None,
        };
        if self.check {
            let (begin, end) = tenon_backup::check(&self.file, &opening)?;
            writeln!(
                told,
                "Whole: made by Tenon {} at {}, {}",
                begin.tenon,
                begin.made_at,
                sums(&end)
            )?;
            return Ok(());
        }
        let end = with_new_database(&config, async |database| {
            self.restore(&config, database, &opening, told).await
        })
        .await?;
        writeln!(told, "Restored: {}", sums(&end))?;
        Ok(())
    }

    async fn restore(
        &self,
        config: &Config,
        database: &tokio_postgres::Config,
        opening: &Opening,
        told: &mut (impl Write + Send),
    ) -> anyhow::Result<End> {
        let db = database_of(config, database)?;
        let modules = all_modules(&Identity::describe_only(), crate::modules(&Arc::default()));
        let modules: Vec<_> = modules.iter().map(|m| (m.name, m.schema, m.migrations)).collect();
        let store = store::open(config, &Env::real())?;
        let to = Into {
            database,
            db: &db,
            modules: &modules,
            store: store.as_ref(),
            master_file: config.secrets.file(&config.database.data_dir),
            now: Env::real().now(),
        };
        let mut tell = |progress| _ = writeln!(told, "{}", words(&progress));
        Ok(tenon_backup::restore(&to, &self.file, opening, &mut tell)
            .await?
            .1)
    }
}

fn passphrase() -> Option<String> {
    std::env::var(PASSPHRASE).ok().filter(|words| !words.is_empty())
}

/// Does something with the database that the settings name, or with a private one, which is made if it is not there.
async fn with_new_database<T>(
    config: &Config,
    work: impl AsyncFnOnce(&tokio_postgres::Config) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let (data_dir, name): (&Path, _) = (&config.database.data_dir, &config.database.name);
    if !config.database.url.is_empty() || Cluster::running(data_dir, SUPERUSER, name).is_some() {
        return with_database(config, data_dir, work).await;
    }
    let cluster = Cluster::start(ClusterOptions::new(data_dir)).await?;
    let done = match cluster.ensure_database(name).await {
        Ok(()) => work(&cluster.connection(SUPERUSER, name)).await,
        Err(error) => Err(error.into()),
    };
    cluster.stop().await;
    done
}

fn words(progress: &Progress) -> String {
    match progress {
        Progress::Table { name, rows } => format!("{name}: {rows} rows"),
        Progress::Files { done, bytes } => format!("{done} files, {bytes} bytes"),
    }
}

fn sums(end: &End) -> String {
    let rows: u64 = end.tables.values().sum();
    format!(
        "{rows} rows of {} tables, {} files of {} bytes",
        end.tables.len(),
        end.files,
        end.bytes
    )
}
