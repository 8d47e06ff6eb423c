//! The database: its version and settings, migrations, the wall between organisations, the clock, work that waits.

use tenon_sdk::{Error, Result, config::Config, db::connect, env::Env};
use tokio_postgres::Client;

use super::Finding;
use crate::secrets::rotation;

/// Seconds between the two clocks that nobody notices, and that break tokens.
const CLOCKS: (f64, f64) = (2.0, 30.0);

pub(super) async fn look(config: &Config, database: &tokio_postgres::Config) -> Vec<Finding> {
    let (client, task) = match connect(database).await {
        Ok(connected) => connected,
        Err(error) => return vec![Finding::of_error("database", &error)],
    };
    let mut found = Vec::new();
    for (check, looked) in [
        ("database", server(&client, config).await),
        ("clock", clock(&client).await),
        ("migrations", migrations(&client).await),
    ] {
        found.extend(looked.unwrap_or_else(|error| vec![Finding::of_error(check, &error)]));
    }
    // The rest is about tables that the first start makes.
    let made = client
        .query_one("select to_regclass('audit.sealing') is not null", &[])
        .await
        .is_ok_and(|row| row.get(0));
    if made {
        for (check, looked) in [
            ("wall", wall(&client).await),
            ("jobs", jobs(&client).await),
            ("trail", trail(&client).await),
            ("keys", keys(config, database).await),
        ] {
            found.extend(looked.unwrap_or_else(|error| vec![Finding::of_error(check, &error)]));
        }
    }
    drop(client);
    _ = task.await;
    found
}

async fn server(client: &Client, config: &Config) -> Result<Vec<Finding>> {
    let row = client.query_one(include_str!("server.sql"), &[]).await?;
    let (version, number): (String, i32) = (row.try_get(0)?, row.try_get(1)?);
    let mut found = vec![if (150_000..190_000).contains(&number) {
        Finding::well("database", format!("PostgreSQL {version} answers."))
    } else {
        Finding::bad(
            "database",
            format!("PostgreSQL {version} is none that Tenon is tested with."),
            "Use 15 to 18.",
        )
    }];
    let unsafe_settings: Vec<String> = row.try_get(2)?;
    if !unsafe_settings.is_empty() {
        found.push(Finding::bad(
            "database",
            format!(
                "A power cut may lose or break data: {}.",
                unsafe_settings.join(", ")
            ),
            "Set them to on.",
        ));
    }
    let wal: String = row.try_get(3)?;
    if wal != "logical" {
        found.push(Finding::warn(
            "database",
            format!("wal_level is {wal}: row changes do not reach subscribers of realtime."),
            "Set wal_level = logical and start PostgreSQL anew.",
        ));
    }
    let connections: i32 = row.try_get(4)?;
    let wanted = config.database.pool_size
        + config.database.pool_size.div_ceil(2)
        + config.database.pipeline_connections
        + config.database.pipeline_write_connections
        + 5;
    if usize::try_from(connections).unwrap_or(0) < wanted {
        found.push(Finding::bad(
            "database",
            format!("max_connections is {connections}; one server may want {wanted}."),
            "Raise max_connections, or lower database.pool_size and the pipeline connections.",
        ));
    }
    let encoding: String = row.try_get(5)?;
    if encoding != "UTF8" {
        found.push(Finding::bad(
            "database",
            format!("Its encoding is {encoding}: most names of people cannot be written."),
            "Make the database anew with encoding UTF8.",
        ));
    }
    let age: i32 = row.try_get(6)?;
    if age > 1_000_000_000 {
        found.push(Finding::warn(
            "database",
            format!("Its oldest transaction number is {age} behind: autovacuum does not keep up, and at two thousand million PostgreSQL stops."),
            "Look for long transactions and unused replication slots, then vacuum.",
        ));
    }
    let held: Vec<String> = row.try_get(7)?;
    if !held.is_empty() {
        found.push(Finding::warn(
            "database",
            format!(
                "Nobody reads these replication slots, and the disk fills for them: {}.",
                held.join(", ")
            ),
            "Drop those that nobody needs: select pg_drop_replication_slot('NAME').",
        ));
    }
    Ok(found)
}

async fn clock(client: &Client) -> Result<Vec<Finding>> {
    let before = Env::real().now();
    let row = client
        .query_one("select extract(epoch from clock_timestamp())::float8", &[])
        .await?;
    let after = Env::real().now();
    let theirs: f64 = row.try_get(0)?;
    let seconds = |at: jiff::Timestamp| at.as_duration().as_secs_f64();
    // Nearer than it took to ask cannot be seen.
    let apart = (theirs - seconds(before)).min(0.0).abs() + (theirs - seconds(after)).max(0.0);
    let says = format!("The database's clock and this machine's are {apart:.1} s apart.");
    let remedy = "Set both by NTP: tokens, schedules and retention go by them.";
    Ok(vec![match apart {
        apart if apart > CLOCKS.1 => Finding::bad("clock", says, remedy),
        apart if apart > CLOCKS.0 => Finding::warn("clock", says, remedy),
        _ => Finding::well("clock", says),
    }])
}

async fn migrations(client: &Client) -> Result<Vec<Finding>> {
    let steps = crate::migrate::plan(client).await?;
    Ok(vec![match steps.len() {
        0 => Finding::well("migrations", "All are applied."),
        some => Finding::warn(
            "migrations",
            format!("{some} are not applied; the next start of a server applies them."),
            "See which by `tenon migrate --plan`.",
        ),
    }])
}

/// What row-level security rests on.
async fn wall(client: &Client) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for (sql, says, remedy) in [
        (
            include_str!("unwalled.sql"),
            "Row-level security is off or not forced on",
            "alter table NAME enable row level security, force row level security",
        ),
        (
            include_str!("undeclared.sql"),
            "Programs can reach these tables, and no row-level security holds there:",
            "Switch it on and write policies, or take the table out of the exposed schemas.",
        ),
        (
            include_str!("overpowered.sql"),
            "Row-level security does not hold these logins and roles:",
            "alter role NAME nosuperuser nobypassrls",
        ),
    ] {
        let rows = client.query(sql, &[]).await?;
        let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        if !names.is_empty() {
            found.push(Finding::bad(
                "wall",
                format!("{says} {}.", names.join(", ")),
                remedy,
            ));
        }
    }
    if found.is_empty() {
        let row = client
            .query_one("select count(*) from kernel.tables", &[])
            .await?;
        let tables: i64 = row.try_get(0)?;
        found.push(Finding::well(
            "wall",
            format!(
                "Row-level security holds on all {tables} tables, and nobody who serves requests is above it."
            ),
        ));
    }
    Ok(found)
}

async fn jobs(client: &Client) -> Result<Vec<Finding>> {
    let row = client.query_one(include_str!("jobs.sql"), &[]).await?;
    let (dead, late): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let mut found = Vec::new();
    if dead > 0 {
        found.push(Finding::warn(
            "jobs",
            format!("{dead} were put aside after their last attempt."),
            "Look at why at /operator, mend it, and have them run again.",
        ));
    }
    if late > 0 {
        found.push(Finding::warn(
            "jobs",
            format!("{late} have been due for more than ten minutes."),
            "Look whether a server or `tenon work` runs, and whether it has enough workers (jobs.workers).",
        ));
    }
    if found.is_empty() {
        found.push(Finding::well("jobs", "None is late, none was put aside."));
    }
    Ok(found)
}

async fn trail(client: &Client) -> Result<Vec<Finding>> {
    let row = client
        .query_one(
            "select coalesce(extract(epoch from now() - min(e.at)), 0)::float8 from audit.entries e cross join audit.sealing s \
             where e.tx >= s.horizon and e.at > s.since",
            &[],
        )
        .await?;
    let seconds: f64 = row.try_get(0)?;
    Ok(vec![if seconds > 600.0 {
        Finding::warn(
            "trail",
            format!("The oldest entry without a seal is {seconds:.0} s old."),
            "A server seals while it runs; a transaction that has been open for long holds it up (pg_stat_activity).",
        )
    } else {
        Finding::well("trail", "Its entries are sealed.")
    }])
}

async fn keys(config: &Config, database: &tokio_postgres::Config) -> Result<Vec<Finding>> {
    if config
        .secrets
        .file(&config.database.data_dir)
        .is_some_and(|file| !file.exists())
    {
        return Ok(vec![Finding::bad(
            "keys",
            "The file of master keys is not there: secrets in the database cannot be read.",
            "Bring it back from where its copy is kept.",
        )]);
    }
    let rotation = rotation(config, database).map_err(|error| {
        error
            .downcast::<Error>()
            .unwrap_or_else(|error| Error::internal(format!("{error:#}")))
    })?;
    let status = rotation.status().await?;
    Ok(vec![if status.behind > 0 {
        Finding::warn(
            "keys",
            format!(
                "{} of {} data keys are not under the newest master key.",
                status.behind, status.data_keys
            ),
            "tenon secrets rotate",
        )
    } else {
        Finding::well(
            "keys",
            format!(
                "Master key {} in {} opens all {} data keys.",
                status.newest, status.home, status.data_keys
            ),
        )
    }])
}
