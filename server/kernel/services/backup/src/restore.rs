//! Reading a backup: into an empty database, or only to see whether it is whole.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use tenon_sdk::{
    Error, Result,
    db::{Db, Migration, connect},
};
use tenon_storage::store::Store;
use tokio::sync::mpsc;
use tokio_postgres::Client;
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    Progress,
    archive::{self, Opening, Piece},
    manifest::{Begin, End, broken},
    tables,
};

/// Tables that are divided by a time.
pub(crate) const DIVIDED: &[(&str, &str)] = &[("audit.entries", "at"), ("jobs.history", "finished_at")];

/// Where a backup goes.
pub struct Restore<'a> {
    /// The empty database, as its owner.
    pub database: &'a tokio_postgres::Config,
    /// The same, for migrations.
    pub db: &'a Db,
    /// Modules of this version: name, schema, migrations.
    pub modules: &'a [(&'static str, &'static str, &'static [Migration])],
    /// Where content is to be kept.
    pub store: &'a dyn Store,
    /// Where master keys are to be, if they are in a file.
    pub master_file: Option<PathBuf>,
    /// The time.
    pub now: Timestamp,
}

/// Reads all of a file and tells what is in it, or what is wrong with it.
pub fn check(path: &Path, opening: &Opening) -> Result<(Begin, End)> {
    let mut archive = archive::open(path, opening)?;
    let mut entries = archive.entries().map_err(|error| broken(&error.to_string()))?;
    let begin = begin(&mut entries)?;
    let mut seen = End::default();
    let mut file = String::new();
    while let Some(piece) = archive::next(&mut entries)? {
        match piece.of.split_once('/') {
            Some(("tables", table)) => {
                *seen.tables.entry(table.to_owned()).or_default() += lines(&piece.bytes);
            }
            Some(("files", key)) => {
                if file != key {
                    key.clone_into(&mut file);
                    seen.files += 1;
                }
                seen.bytes += piece.bytes.len() as u64;
            }
            _ if piece.of == "end.json" => return compare(begin, &seen, &piece),
            _ => {}
        }
    }
    Err(broken("It breaks off."))
}

/// Rows of COPY: a line each, whatever they hold.
fn lines(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').skip(1).count() as u64
}

fn compare(begin: Begin, seen: &End, last: &Piece) -> Result<(Begin, End)> {
    let end = End::parse(&last.bytes)?;
    if (&seen.tables, seen.files, seen.bytes) != (&end.tables, end.files, end.bytes) {
        return Err(broken("It has not the rows and files that it should have."));
    }
    Ok((begin, end))
}

fn begin<R: Read>(entries: &mut tar::Entries<'_, R>) -> Result<Begin> {
    match archive::next(entries)? {
        Some(piece) if piece.of == "begin.json" => Begin::parse(&piece.bytes),
        _ => Err(broken("It does not begin as one.")),
    }
}

/// Restores a file into an empty database; all of it, or nothing.
pub async fn restore(
    to: &Restore<'_>,
    path: &Path,
    opening: &Opening,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<(Begin, End)> {
    let mut archive = archive::open(path, opening)?;
    let mut entries = archive.entries().map_err(|error| broken(&error.to_string()))?;
    let begin = begin(&mut entries)?;
    let then = steps_of(&begin, to.modules)?;
    let mut next = archive::next(&mut entries)?;
    let keys = next.take_if(|piece| piece.of == "master.keys");
    if keys.is_some() {
        next = archive::next(&mut entries)?;
    }
    let keys = place_for_keys(to, &begin, keys)?;
    let (client, task) = connect(to.database).await?;
    refuse_unless_empty(&client).await?;
    let then: Vec<_> = then
        .iter()
        .map(|(module, schema, steps)| (*module, *schema, steps.as_slice()))
        .collect();
    to.db.migrate(&then).await?;

    client.batch_execute(tables::FORMS).await?;
    make_partitions(&client, &begin, to.now).await?;
    client
        .batch_execute("begin; set local session_replication_role = replica")
        .await
        .map_err(|_| {
            Error::forbidden(
                "backup.not_owner",
                "The login may not set triggers and foreign keys at rest.",
            )
            .hint("Restore as a superuser, or have it granted: grant set on parameter session_replication_role to LOGIN.")
        })?;
    empty(&client, &begin).await?;
    let mut seen = End::default();
    let end = loop {
        let Some(piece) = next else {
            return Err(broken("It breaks off."));
        };
        next = match piece.of.split_once('/') {
            Some(("tables", table)) => {
                let table = table.to_owned();
                let (rows, next) = table_from(&client, &begin, &table, piece, &mut entries).await?;
                tell(Progress::Table {
                    name: table.clone(),
                    rows,
                });
                seen.tables.insert(table, rows);
                next
            }
            Some(("files", key)) => {
                let key = key.to_owned();
                let (size, next) = file_from(to.store, &key, piece, &mut entries).await?;
                seen.files += 1;
                seen.bytes += size;
                if seen.files.is_multiple_of(1000) {
                    tell(Progress::Files {
                        done: seen.files,
                        bytes: seen.bytes,
                    });
                }
                next
            }
            _ if piece.of == "end.json" => break compare(begin.clone(), &seen, &piece)?.1,
            _ => archive::next(&mut entries)?,
        };
    };
    for (sequence, value) in &end.sequences {
        client
            .execute(
                "select setval($1::text::regclass, $2)",
                &[&tables::quoted(sequence), value],
            )
            .await?;
    }
    if let Some((place, keys)) = keys {
        write_private(&place, &keys)?;
    }
    client.batch_execute("commit").await?;
    drop(client);
    _ = task.await;
    to.db.migrate(to.modules).await?;
    Ok((begin, end))
}

type Steps = Vec<(&'static str, &'static str, Vec<Migration>)>;

/// The migrations that the backup names, from this version.
fn steps_of(begin: &Begin, modules: &[(&'static str, &'static str, &'static [Migration])]) -> Result<Steps> {
    let named: BTreeMap<(&str, &str), &str> = begin
        .migrations
        .iter()
        .map(|step| ((step.module.as_str(), step.name.as_str()), step.checksum.as_str()))
        .collect();
    let mut left = named.clone();
    left.retain(|(module, _), _| *module != "kernel");
    let mut steps = Steps::new();
    for (module, schema, migrations) in modules {
        let mut then = Vec::new();
        for step in *migrations {
            match left.remove(&(*module, step.name)) {
                Some(checksum) if *checksum == step.checksum() => then.push(*step),
                Some(_) => return Err(newer(&format!("{module}/{} has another text here.", step.name))),
                None => {}
            }
        }
        if !then.is_empty() {
            steps.push((module, schema, then));
        }
    }
    match left.keys().next() {
        Some((module, name)) => Err(newer(&format!(
            "It has {module}/{name}, which this version does not know."
        ))),
        None => Ok(steps),
    }
}

fn newer(details: &str) -> Error {
    Error::conflict(
        "backup.newer",
        "The backup was made by a newer Tenon than this one.",
    )
    .details(details.to_owned())
    .hint("Restore it with that version or a later one.")
}

/// Where the master keys of the backup go; nowhere if the installation has its own.
fn place_for_keys(
    to: &Restore<'_>,
    begin: &Begin,
    keys: Option<Piece>,
) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let Some(place) = &to.master_file else {
        return Ok(None);
    };
    if place.exists() {
        return Ok(None);
    }
    match keys {
        Some(piece) => Ok(Some((place.clone(), piece.bytes))),
        None if begin.needs_master_file => Err(Error::conflict(
            "backup.master_keys_missing",
            "Secrets of the backup are sealed by master keys that are not here.",
        )
        .details(place.display().to_string())
        .hint("Put the file with the master keys of the old installation there, then restore.")),
        None => Ok(None),
    }
}

fn write_private(place: &Path, bytes: &[u8]) -> Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(place)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| Error::internal(format!("{}: {error}", place.display())))
}

async fn refuse_unless_empty(client: &Client) -> Result<()> {
    let used = client
        .query_one("select to_regclass('auth.users') is not null", &[])
        .await?
        .try_get::<_, bool>(0)?
        && client
            .query_one(
                "select exists (select from auth.users) or exists (select from tenancy.organizations)",
                &[],
            )
            .await?
            .try_get::<_, bool>(0)?;
    if used {
        return Err(Error::conflict(
            "backup.not_empty",
            "There are people or organisations in the database already.",
        )
        .hint("Restore into a new one: another --data-dir, or an empty database."));
    }
    Ok(())
}

/// Months and weeks that were divided off when the backup was made.
async fn make_partitions(client: &Client, begin: &Begin, now: Timestamp) -> Result<()> {
    if let Some(first) = begin.oldest.get("audit.entries") {
        let months = (now.duration_since(*first).as_hours() / (24 * 28)).max(0) + 3;
        let months = i32::try_from(months).unwrap_or(i32::MAX);
        client
            .execute("select audit.make_ahead($1, $2)", &[first, &months])
            .await?;
    }
    if let Some(first) = begin.oldest.get("jobs.history") {
        client
            .execute("select jobs.keep_history(36500, $1)", &[first])
            .await?;
    }
    Ok(())
}

/// Takes out what migrations put in, since the backup has it, too.
async fn empty(client: &Client, begin: &Begin) -> Result<()> {
    let here = tables::of(client).await?;
    for (table, columns) in &begin.tables {
        let Some(known) = here.get(table) else {
            return Err(tables::unfit(table, "there is no such table"));
        };
        if let Some(column) = columns.iter().find(|column| !known.contains(column)) {
            return Err(tables::unfit(table, &format!("there is no column {column}")));
        }
    }
    let all: Vec<String> = begin.tables.keys().map(|table| tables::quoted(table)).collect();
    if !all.is_empty() {
        client
            .batch_execute(&format!("truncate {} cascade", all.join(", ")))
            .await?;
    }
    Ok(())
}

/// Reads the rows of a table; gives how many, and what comes after them.
async fn table_from<R: Read>(
    client: &Client,
    begin: &Begin,
    table: &str,
    first: Piece,
    entries: &mut tar::Entries<'_, R>,
) -> Result<(u64, Option<Piece>)> {
    let columns = begin
        .tables
        .get(table)
        .ok_or_else(|| broken(&format!("It does not say what {table} is.")))?;
    let sql = format!("copy {} from stdin", tables::target(table, columns));
    let mut sink = Box::pin(client.copy_in::<_, Bytes>(&sql).await?);
    let of = first.of.clone();
    let mut next = Some(first);
    while let Some(piece) = next.take_if(|piece| piece.of == of) {
        if !piece.bytes.is_empty() {
            sink.send(Bytes::from(piece.bytes)).await?;
        }
        next = archive::next(entries)?;
    }
    let rows = sink.as_mut().finish().await?;
    Ok((rows, next))
}

/// Reads a file's content into the store; gives its size, and what comes after it.
async fn file_from<R: Read>(
    store: &dyn Store,
    key: &str,
    first: Piece,
    entries: &mut tar::Entries<'_, R>,
) -> Result<(u64, Option<Piece>)> {
    let (pieces, content) = mpsc::channel(2);
    let content = ReceiverStream::new(content).boxed();
    let of = first.of.clone();
    let feed = async {
        let mut next = Some(first);
        while let Some(piece) = next.take_if(|piece| piece.of == of) {
            // The store says itself why it wants no more.
            if pieces.send(Ok(Bytes::from(piece.bytes))).await.is_err() {
                break;
            }
            next = archive::next(entries)?;
        }
        drop(pieces);
        Ok::<_, Error>(next)
    };
    let (kept, next) = tokio::join!(store.put(key, content, u64::MAX), feed);
    Ok((kept?.size, next?))
}
