//! The database of an installation, for commands beside the server.

use std::{path::Path, time::Duration};

use anyhow::bail;
use tenon_sdk::{
    config::Config,
    db::{Db, DbOptions, parse_url},
};
use tenon_services::postgres::{Cluster, ClusterOptions, SUPERUSER};

/// Few connections to a database, as its owner, for work beside servers.
pub(crate) fn database_of(config: &Config, database: &tokio_postgres::Config) -> tenon_sdk::Result<Db> {
    Db::new(DbOptions {
        admin: database.clone(),
        runtime: None,
        pool_size: 2,
        pipeline_connections: 1,
        pipeline_write_connections: 0,
        pipeline_timeout: Duration::from_millis(config.database.pipeline_timeout_ms),
        record_statements: false,
    })
}

/// Does something with the database that the settings name, or with the private one of `data_dir`, which is started for as long as it takes
/// unless a server runs on it.
pub(crate) async fn with_database<T>(
    config: &Config,
    data_dir: &Path,
    work: impl AsyncFnOnce(&tokio_postgres::Config) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if !config.database.url.is_empty() {
        return work(&parse_url(&config.database.url)?).await;
    }
    let name = &config.database.name;
    if let Some(running) = Cluster::running(data_dir, SUPERUSER, name) {
        return work(&running).await;
    }
    if !data_dir.join("postgres").exists() {
        bail!(
            "there is no database in {}; name one with --data-dir or DATABASE_URL",
            data_dir.display()
        );
    }
    let cluster = Cluster::start(ClusterOptions::new(data_dir)).await?;
    let done = work(&cluster.connection(SUPERUSER, name)).await;
    cluster.stop().await;
    done
}
