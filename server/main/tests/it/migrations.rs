//! Migrations: forward only, once, whole or not at all, and safe when several servers start.

use std::sync::Arc;

use tenon_sdk::{
    Error, Module,
    config::Config,
    db::{Db, DbOptions, Migration, RUNTIME_LOGIN},
    env::Env,
};
use tenon_services::server::Server;
use tenon_testkit::{TestDatabase, postgres::TestCluster};
use tokio_postgres::{Config as PgConfig, NoTls};

use crate::support::{all_modules, database};

type Steps = Vec<(&'static str, &'static str, Vec<Migration>)>;

fn steps() -> Steps {
    all_modules()
        .iter()
        .map(|module| (module.name, module.schema, module.migrations.to_vec()))
        .collect()
}

async fn migrate(database: &TestDatabase, steps: &Steps) -> Result<(), Error> {
    let db = Db::new(database.options()).unwrap();
    let steps: Vec<_> = steps
        .iter()
        .map(|(name, schema, steps)| (*name, *schema, steps.as_slice()))
        .collect();
    let result = db.migrate(&steps).await;
    db.close();
    result
}

/// The ledger with the transactions that wrote it, and every policy and table.
async fn fingerprint(database: &TestDatabase) -> Vec<String> {
    let rows = database
        .admin()
        .await
        .query(
            "select 'step ' || module || name || checksum || xmin::text from kernel.migrations union all \
             select 'table ' || relation || kind || xmin::text from kernel.tables union all \
             select 'policy ' || polrelid || polname || xmin::text from pg_policy order by 1",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn migrations_that_ran_do_not_run_again() {
    let database = database().await;
    let before = fingerprint(&database).await;
    migrate(&database, &steps()).await.unwrap();
    migrate(&database, &steps()).await.unwrap();
    assert_eq!(fingerprint(&database).await, before);
}

#[tokio::test]
async fn a_migration_whose_text_changed_after_it_ran_is_refused() {
    let database = database().await;
    let mut changed = steps();
    let (module, _, last) = changed.last_mut().unwrap();
    let step = last.last_mut().unwrap();
    *step = Migration {
        name: step.name,
        sql: "select 1",
    };
    let named = format!("{module}/{}", step.name);
    let refused = migrate(&database, &changed).await.unwrap_err();
    assert_eq!(
        (refused.code.as_ref(), refused.details),
        ("kernel.migration_changed", Some(named))
    );
}

#[tokio::test]
async fn a_database_made_by_a_newer_version_is_refused_and_left_alone() {
    let database = database().await;
    let before = fingerprint(&database).await;
    let mut older = steps();
    older.last_mut().unwrap().2.pop();
    let refused = migrate(&database, &older).await.unwrap_err();
    assert_eq!(refused.code, "kernel.schema_newer", "{refused:?}");
    assert!(refused.hint.is_some(), "it says what to do");
    assert_eq!(fingerprint(&database).await, before);
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind_and_can_be_corrected() {
    let database = database().await;
    let before = fingerprint(&database).await;
    let with = |sql| {
        let mut steps = steps();
        steps.push((
            "later",
            "later",
            vec![Migration {
                name: "0001_things",
                sql,
            }],
        ));
        steps
    };
    let broken = with("create table later.things (id uuid primary key); select 1 / 0;");
    let refused = migrate(&database, &broken).await.unwrap_err();
    assert_eq!(refused.code, "internal");
    assert_eq!(fingerprint(&database).await, before);
    let corrected =
        "create table later.things (id uuid primary key); select kernel.system_table('later.things', '');";
    migrate(&database, &with(corrected)).await.unwrap();
    assert_ne!(fingerprint(&database).await, before);
}

/// What the policies hold written rows to, by table and policy; entries of the trail are written by its owner's functions alone.
async fn checks(database: &TestDatabase) -> Vec<(String, String)> {
    let rows = database
        .admin()
        .await
        .query(
            "select p.polrelid::regclass || ' ' || p.polname, pg_get_expr(p.polwithcheck, p.polrelid) \
             from pg_policy p join kernel.tables t on t.relation = p.polrelid and t.kind = 'tenant' \
             where p.polwithcheck is not null and t.relation <> 'audit.entries'::regclass order by 1",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn tables_of_an_older_version_check_written_rows_as_new_ones_do() {
    let database = database().await;
    let new = checks(&database).await;
    assert!(new.len() > 10);
    for (policy, check) in &new {
        assert!(
            check.contains("( SELECT tenancy.org_id() AS org_id)")
                && check.contains("( SELECT tenancy.org_if("),
            "{policy} checks row by row: {check}"
        );
    }
    let admin = database.admin().await;
    for (policy, check) in &new {
        let (table, name) = policy.split_once(' ').unwrap();
        let old = check
            .replace("( SELECT tenancy.org_id() AS org_id)", "tenancy.org_id()")
            .replace("( SELECT tenancy.org_if(", "tenancy.org_if(")
            .replace(" AS org_if)", "");
        admin
            .batch_execute(&format!("alter policy {name} on {table} with check ({old})"))
            .await
            .unwrap();
    }
    let old = checks(&database).await;
    assert!(old.iter().all(|(_, check)| !check.contains("SELECT")), "{old:?}");
    admin
        .batch_execute(include_str!("../../../kernel/sdk/migrations/0005_checks.sql"))
        .await
        .unwrap();
    assert_eq!(checks(&database).await, new);
}

fn options(server: &PgConfig, database: &str) -> DbOptions {
    let named = |user: Option<&str>| {
        let mut config = server.clone();
        config.dbname(database);
        if let Some(user) = user {
            config.user(user);
        }
        config
    };
    DbOptions {
        admin: named(None),
        runtime: Some(named(Some(RUNTIME_LOGIN))),
        pool_size: 4,
        pipeline_connections: 1,
        pipeline_write_connections: 0,
        pipeline_timeout: std::time::Duration::from_secs(30),
        record_statements: false,
    }
}

async fn start(options: DbOptions) -> Server {
    let reload = Arc::default();
    let modules: Vec<Module> = tenon::modules(&reload);
    let mut config = Config::defaults();
    let files = tempfile::tempdir().unwrap();
    files.path().clone_into(&mut config.storage.folder);
    Server::start(Env::real(), config, options, reload, modules)
        .await
        .unwrap()
}

#[tokio::test]
async fn servers_that_start_at_once_on_an_empty_cluster_all_come_up() {
    let cluster = TestCluster::start(None).await.unwrap();
    let server: PgConfig = cluster.url().parse().unwrap();
    let (admin, connection) = server.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    // The roles belong to the cluster: databases beside each other must not get into each other's way either.
    for name in ["one", "two"] {
        admin
            .batch_execute(&format!("create database {name}"))
            .await
            .unwrap();
    }
    let starting =
        ["one", "two", "one", "two", "one"].map(|name| tokio::spawn(start(options(&server, name))));
    for started in starting {
        started.await.expect("the server starts").stop().await;
    }
    drop(admin);
    cluster.stop().await;
}
