//! Which tables are in a backup, and how their rows are written and read.

use std::collections::BTreeMap;

use tenon_sdk::{Error, Result};
use tokio_postgres::Client;

/// Tables whose rows mean something to this database or to processes that run now, and to no other.
const LEFT_OUT: &[&str] = &[
    // Made by migrations, with numbers of this database's own.
    "kernel.tables",
    "kernel.migrations",
    "kernel.open_schemas",
    "audit.classes",
    "audit.parts",
    "audit.tracked",
    // Of processes, and of content that nobody finished or kept.
    "jobs.workers",
    "realtime.idle_slots",
    "storage.resumable_uploads",
    "storage.s3_multipart_uploads",
    "storage.s3_multipart_uploads_parts",
    "storage.discarded",
];

/// A name as SQL has it.
pub(crate) fn quoted(name: &str) -> String {
    name.split('.')
        .map(|part| format!("\"{}\"", part.replace('"', "\"\"")))
        .collect::<Vec<_>>()
        .join(".")
}

/// A table of `SCHEMA.TABLE` with columns, for COPY.
pub(crate) fn target(table: &str, columns: &[String]) -> String {
    let columns: Vec<String> = columns.iter().map(|name| quoted_one(name)).collect();
    format!("{} ({})", quoted(table), columns.join(", "))
}

pub(crate) fn quoted_one(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Tables and their columns, without those that PostgreSQL computes.
pub(crate) async fn of(client: &Client) -> Result<BTreeMap<String, Vec<String>>> {
    let rows = client.query(include_str!("tables.sql"), &[&LEFT_OUT]).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

/// Tables that no module declared.
pub(crate) async fn strangers(client: &Client) -> Result<Vec<String>> {
    let rows = client.query(include_str!("strangers.sql"), &[]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Sequences and what they have given last.
pub(crate) async fn sequences(client: &Client) -> Result<BTreeMap<String, i64>> {
    let sql = "select s.schemaname || '.' || s.sequencename, s.last_value from pg_sequences s \
               join pg_namespace n on n.nspname = s.schemaname \
               where s.last_value is not null and exists (select from pg_class c join kernel.tables t on t.relation = c.oid \
               where c.relnamespace = n.oid)";
    let rows = client.query(sql, &[]).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

/// What a session reads and writes dates and numbers by, whatever the database's own settings are.
pub(crate) const FORMS: &str = "set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set timezone = 'UTC'; \
     set extra_float_digits = 1; set statement_timeout = 0; set lock_timeout = '30s'; \
     set idle_in_transaction_session_timeout = 0; set search_path = ''; set row_security = off";

pub(crate) fn unfit(table: &str, details: &str) -> Error {
    Error::conflict(
        "backup.unfit",
        "The backup does not fit the tables of this version.",
    )
    .details(format!("{table}: {details}"))
    .hint("Restore it with the version it was made by.")
}
