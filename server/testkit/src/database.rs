//! A database for one test, cloned from a template that is migrated once.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

use tenon_sdk::{
    Module,
    db::{Db, DbOptions, RUNTIME_LOGIN},
    env::Env,
};
use tokio_postgres::{Client, NoTls};

use crate::postgres::{self, PostgresHandle};

/// A database of its own on the shared server; dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    server: PostgresHandle,
    name: String,
}

impl TestDatabase {
    /// A new database with the modules' tables.
    pub async fn create(modules: &[Module]) -> Self {
        let server = tokio::task::spawn_blocking(postgres::shared)
            .await
            .expect("PostgreSQL starts");
        let template = template(&server, modules).await;
        let name = format!("test_{}", Env::real().new_id().simple());
        let admin = connect(&server, "postgres").await;
        // Cloning fails while somebody is connected to the template; that somebody is about to leave.
        for _ in 0..100 {
            match admin
                .batch_execute(&format!("create database {name} template {template}"))
                .await
            {
                Ok(()) => return Self { server, name },
                Err(error) if error.code().is_some_and(|code| code.code() == "55006") => {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                Err(error) => panic!("the template cannot be cloned: {error:?}"),
            }
        }
        panic!("the template {template} stayed in use");
    }

    /// How a server reaches it.
    pub fn options(&self) -> DbOptions {
        options(&self.server, &self.name)
    }

    /// A connection as the superuser, to look at what a test did.
    pub async fn admin(&self) -> Client {
        connect(&self.server, &self.name).await
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), std::mem::take(&mut self.name));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let admin = connect(&server, "postgres").await;
                // A database whose changes somebody reads cannot be dropped.
                let _ = admin
                    .query(
                        "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots \
                         where database = $1 and active_pid is not null",
                        &[&name],
                    )
                    .await;
                // What cannot be dropped goes with the cluster.
                let _ = admin
                    .batch_execute(&format!("drop database if exists {name} with (force)"))
                    .await;
            });
        });
        let _ = dropping.join();
    }
}

fn options(server: &PostgresHandle, database: &str) -> DbOptions {
    DbOptions {
        admin: server.superuser(database),
        runtime: Some(server.connection(RUNTIME_LOGIN, database)),
        pool_size: 8,
        pipeline_connections: 2,
        pipeline_write_connections: 0,
        pipeline_timeout: std::time::Duration::from_secs(30),
        record_statements: true,
    }
}

async fn connect(server: &PostgresHandle, database: &str) -> Client {
    let (client, connection) = server
        .superuser(database)
        .connect(NoTls)
        .await
        .expect("the test server answers");
    tokio::spawn(connection);
    client
}

/// The template of a set of modules, made by whoever needs it first.
async fn template(server: &PostgresHandle, modules: &[Module]) -> String {
    let mut hasher = DefaultHasher::new();
    for module in modules {
        module.name.hash(&mut hasher);
        for step in module.migrations {
            (step.name, step.sql).hash(&mut hasher);
        }
    }
    let name = format!("template_{:016x}", hasher.finish());
    let admin = connect(server, "postgres").await;
    let key = i64::from_ne_bytes(hasher.finish().to_ne_bytes());
    admin
        .execute("select pg_advisory_lock($1)", &[&key])
        .await
        .expect("a lock");
    let known = admin
        .query("select from pg_database where datname = $1", &[&name])
        .await
        .expect("a list");
    if known.is_empty() {
        let making = format!("{name}_new");
        admin
            .batch_execute(&format!("drop database if exists {making} with (force)"))
            .await
            .expect("room");
        admin
            .batch_execute(&format!("create database {making} template template0"))
            .await
            .expect("a database");
        let db = Db::new(options(server, &making)).expect("options are good");
        let steps: Vec<_> = modules.iter().map(|m| (m.name, m.schema, m.migrations)).collect();
        db.migrate(&steps).await.expect("migrations apply");
        db.close();
        for _ in 0..100 {
            match admin
                .batch_execute(&format!("alter database {making} rename to {name}"))
                .await
            {
                Ok(()) => break,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            }
        }
    }
    admin
        .execute("select pg_advisory_unlock($1)", &[&key])
        .await
        .expect("the lock is ours");
    name
}
