//! Migrations: per module, forward only, each in a transaction, recorded in a ledger, safe with two servers starting at
//! once.

use sha2::{Digest, Sha256};
use tokio_postgres::Client;

use crate::error::{Error, Result};

/// One step of a module's schema. Its text never changes once released; a later step corrects it.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// `0001_orders`: its place in the order, and what it does.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

impl Migration {
    /// The hash of its text, as the ledger has it.
    pub fn checksum(&self) -> String {
        crate::hex(&Sha256::digest(self.sql))
    }
}

/// Embeds migrations of the crate's folder `migrations/` (or a folder below it) in their order.
///
/// ```ignore
/// const MIGRATIONS: &[Migration] = migrations!["../migrations/" => "0001_orders", "0002_keys"];
/// ```
#[macro_export]
macro_rules! migrations {
    ($folder:literal => $($name:literal),* $(,)?) => {
        &[$($crate::db::Migration { name: $name, sql: include_str!(concat!($folder, $name, ".sql")) }),*]
    };
}

/// Any number will do, as long as no other program on the database uses it: "TENON" in ASCII.
const LOCK: i64 = 0x54_45_4e_4f_4e;

/// The kernel's own first steps, before any module.
const KERNEL: &[Migration] = migrations![
    "../../migrations/" =>
    "0001_roles", "0002_tables", "0003_errors", "0004_schema_news", "0005_checks", "0006_open_schemas"
];

/// A migration that is still to be applied.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Whose it is.
    pub module: String,
    /// Its name.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

/// What is still to be applied, in its order; all of it in an empty database. Says nothing of what is there and should not be.
pub async fn pending(client: &Client, modules: &[(&str, &str, &[Migration])]) -> Result<Vec<Pending>> {
    let known: std::collections::HashSet<(String, String)> = if client
        .query_one("select to_regclass('kernel.migrations') is not null", &[])
        .await?
        .try_get(0)?
    {
        let rows = client
            .query("select module, name from kernel.migrations", &[])
            .await?;
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    } else {
        std::collections::HashSet::new()
    };
    let kernel = std::iter::once(("kernel", KERNEL));
    let all = kernel.chain(modules.iter().map(|(module, _, steps)| (*module, *steps)));
    Ok(all
        .flat_map(|(module, steps)| steps.iter().map(move |step| (module, step)))
        .filter(|(module, step)| !known.contains(&((*module).to_owned(), step.name.to_owned())))
        .map(|(module, step)| Pending {
            module: module.to_owned(),
            name: step.name,
            sql: step.sql,
        })
        .collect())
}

pub(super) async fn run(client: &Client, modules: &[(&str, &str, &[Migration])]) -> Result<()> {
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
    let result = run_locked(client, modules).await;
    client.execute("select pg_advisory_unlock($1)", &[&LOCK]).await?;
    result
}

async fn run_locked(client: &Client, modules: &[(&str, &str, &[Migration])]) -> Result<()> {
    client
        .batch_execute(
            "set client_min_messages = warning;
             create schema if not exists kernel;
             create table if not exists kernel.migrations (
                 module text not null, name text not null, checksum text not null,
                 applied_at timestamptz not null default now(), primary key (module, name));",
        )
        .await?;
    apply(client, "kernel", KERNEL).await?;
    for (module, schema, migrations) in modules {
        if !schema.is_empty() {
            client
                .execute("select kernel.module_schema($1)", &[schema])
                .await?;
        }
        apply(client, module, migrations).await?;
    }
    Ok(())
}

async fn apply(client: &Client, module: &str, migrations: &[Migration]) -> Result<()> {
    let known: std::collections::HashMap<String, String> = client
        .query(
            "select name, checksum from kernel.migrations where module = $1",
            &[&module],
        )
        .await?
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    if let Some(newer) = known
        .keys()
        .find(|name| !migrations.iter().any(|step| step.name == name.as_str()))
    {
        return Err(Error::conflict(
            "kernel.schema_newer",
            "The database was made by a newer Tenon than this one.",
        )
        .details(format!(
            "It has the migration {module}/{newer}, which this version does not know."
        ))
        .hint("Start the newer version, or restore a backup made before it ran."));
    }
    for step in migrations {
        let checksum = step.checksum();
        match known.get(step.name) {
            Some(applied) if *applied == checksum => continue,
            Some(_) => {
                return Err(Error::conflict(
                    "kernel.migration_changed",
                    "A migration that was already applied has another text now.",
                )
                .details(format!("{module}/{}", step.name))
                .hint("Migrations are forward only: put the change into a new file."));
            }
            None => {}
        }
        tracing::info!(module, migration = step.name, "applying migration");
        let record = format!(
            "begin;\n{}\n;insert into kernel.migrations (module, name, checksum) values ('{module}', '{}', '{checksum}');\ncommit;",
            step.sql, step.name
        );
        if let Err(error) = client.batch_execute(&record).await {
            client.batch_execute("rollback").await?;
            let position = error
                .as_db_error()
                .and_then(tokio_postgres::error::DbError::where_);
            return Err(Error::internal(format!(
                "migration {module}/{} failed: {error:?} {}",
                step.name,
                position.unwrap_or_default()
            )));
        }
    }
    Ok(())
}
