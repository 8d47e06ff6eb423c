//! All data of an organisation as one file: a ZIP archive of lines of JSON, a file a table, written while it is sent. Neither a large
//! table nor a slow reader fills the memory: rows are fetched some at a time from cursors, and the next only when the last have
//! gone. All tables are seen as they were at one moment. It is one transaction on one connection, which is given back when whoever
//! downloads stops taking, or takes too long.

use std::{
    io::{self, BufWriter, Write},
    time::Duration,
};

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};
use tenon_sdk::{Ctx, Error, Result, TenantTx, events::Event};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, SemaphorePermit, mpsc},
};
use tokio_postgres::{Row, types::ToSql};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::super::{Acting, permissions::OrganizationExport};

/// Exports of one server at a time: each holds a connection while it lasts.
static EXPORTS: Semaphore = Semaphore::const_new(2);
/// Bytes of rows that are fetched at once, if a row is not longer by itself.
const AT_ONCE: usize = 2 * 1024 * 1024;
/// Steps in which more rows are fetched at once: few, since each is a prepared statement of its own.
const STEPS: [usize; 4] = [1, 16, 128, 1024];
/// How long a reader may take nothing before it is given up; less than the minute after which the database ends a transaction in which
/// nothing happens.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long a download may take in all.
const IN_ALL: Duration = Duration::from_mins(30);

/// Tables of what is each member's own.
const PERSONAL: &[&str] = &["notifications.notices"];

/// What goes to the thread that packs.
enum Piece {
    File(String),
    Text(Vec<u8>),
}

fn running() -> Error {
    Error::conflict("tenancy.export_running", "The data is being downloaded already.")
        .hint("Wait until that download has ended.")
}

/// Begins the file; its name and its bytes.
///
/// Errors: `tenancy.export_running` while another download of the organisation's runs; `tenancy.export_busy` while others' do.
pub(in super::super) async fn export(ctx: &Ctx) -> Result<(String, Body)> {
    let kernel = ctx.kernel();
    let place = EXPORTS.try_acquire().map_err(|_| {
        Error::unavailable("tenancy.export_busy", "Others are downloading their data.")
            .hint("Try again in some minutes.")
    })?;
    // That it began stands in the log before the first byte leaves.
    let acting = Acting::begin::<OrganizationExport>(ctx, "export of an organisation").await?;
    let org = acting.org();
    let row = acting
        .tx()
        .query_one(
            "select slug, pg_try_advisory_xact_lock(hashtext('tenancy.export'), hashtext($1::text)) \
             from tenancy.organizations where id = $2",
            &[&org.to_string(), &org],
        )
        .await?;
    let (slug, alone): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
    if !alone {
        return Err(running());
    }
    let began = Event::new("tenancy.organization_exported", org.0, json!({}));
    acting.emit(&began).await?;
    acting.commit().await?;
    // The whole organisation, whatever rows its policies would hide from this one owner.
    let tx = Ctx::for_job(kernel.clone(), org, ctx.user_id())
        .begin_snapshot()
        .await?;
    let alone: bool = tx
        .query_one(
            "select pg_try_advisory_xact_lock(hashtext('tenancy.export'), hashtext($1::text))",
            &[&org.to_string()],
        )
        .await?
        .try_get(0)?;
    if !alone {
        return Err(running());
    }

    let name = format!("{slug}-{}.zip", kernel.env().now().strftime("%Y-%m-%d"));
    let (pieces, to_pack) = mpsc::channel(4);
    let (packed, out) = mpsc::channel(8);
    let failed = packed.clone();
    let runtime = Handle::current();
    let packing = tokio::task::spawn_blocking(move || pack(to_pack, Outlet(packed, runtime)));
    let reading = tokio::spawn(read(ctx.clone(), tx, pieces));
    tokio::spawn(ended(place, reading, packing, failed));
    Ok((
        name,
        Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(out)),
    ))
}

/// Waits for the end, and tells whoever downloads if it was no good one.
async fn ended(
    place: SemaphorePermit<'static>,
    reading: tokio::task::JoinHandle<Result<()>>,
    packing: tokio::task::JoinHandle<io::Result<()>>,
    failed: mpsc::Sender<io::Result<Bytes>>,
) {
    let read = reading.await.map_err(Error::internal).and_then(|read| read);
    let packed = packing
        .await
        .map_err(Error::internal)
        .and_then(|packed| packed.map_err(Error::internal));
    drop(place);
    if let Err(error) = read.and(packed) {
        // The reader sees a broken transfer, not a file that looks whole.
        let told = failed.send(Err(io::Error::other(error.to_string())));
        let _ = tokio::time::timeout(PATIENCE, told).await;
    }
}

/// Takes bytes to whoever downloads.
struct Outlet(mpsc::Sender<io::Result<Bytes>>, Handle);

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let send = self.0.send(Ok(Bytes::copy_from_slice(bytes)));
        self.1
            .block_on(async { tokio::time::timeout(PATIENCE, send).await })
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Packs what comes, until no more does. An archive whose pieces ended early has no directory and is not whole.
fn pack(mut pieces: mpsc::Receiver<Option<Piece>>, out: Outlet) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(true);
    let mut archive = ZipWriter::new_stream(BufWriter::with_capacity(64 * 1024, out));
    loop {
        match pieces.blocking_recv() {
            Some(Some(Piece::File(name))) => archive.start_file(name, options)?,
            Some(Some(Piece::Text(bytes))) => archive.write_all(&bytes)?,
            Some(None) => break,
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
    archive.finish()?.into_inner().flush()
}

/// Where rows go.
struct Sink(mpsc::Sender<Option<Piece>>);

impl Sink {
    async fn send(&self, piece: Option<Piece>) -> Result<()> {
        let gone = || {
            Error::unavailable(
                "tenancy.export_abandoned",
                "Whoever downloads takes nothing any more.",
            )
        };
        match tokio::time::timeout(PATIENCE, self.0.send(piece)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(gone()),
        }
    }

    async fn file(&self, name: String, content: Vec<u8>) -> Result<()> {
        self.send(Some(Piece::File(name))).await?;
        self.send(Some(Piece::Text(content))).await
    }
}

/// A table, and how many rows of it went into the file.
type Counted = (String, u64);

async fn read(ctx: Ctx, tx: TenantTx, pieces: mpsc::Sender<Option<Piece>>) -> Result<()> {
    let gone = || Error::unavailable("tenancy.export_abandoned", "The download takes too long.");
    tokio::time::timeout(IN_ALL, read_all(&ctx, tx, &Sink(pieces)))
        .await
        .map_err(|_| gone())?
}

async fn read_all(ctx: &Ctx, tx: TenantTx, sink: &Sink) -> Result<()> {
    let mut counted = tenant_tables(&tx, sink).await?;
    let organization = kernel_tables(&tx, sink, &mut counted).await?;
    tx.rollback().await?;
    let tables: Vec<Value> = counted
        .into_iter()
        .map(|(name, rows)| json!({ "file": name, "rows": rows }))
        .collect();
    let about = json!({
        "format": "tenon-organization-1",
        "exported_at": ctx.kernel().env().now(),
        "organization": organization,
        "files": tables,
    });
    let about = serde_json::to_vec_pretty(&about).map_err(Error::internal)?;
    sink.file("manifest.json".to_owned(), about).await?;
    sink.send(None).await
}

/// The organisation's rows of all apps and engines; not what each member was told by the bell, which is theirs.
async fn tenant_tables(tx: &TenantTx, sink: &Sink) -> Result<Vec<Counted>> {
    let tables = tx
        .query(
            "select t.relation::text from kernel.tables t join pg_class c on c.oid = t.relation \
             where t.kind = 'tenant' and not c.relispartition and t.relation::text <> all ($1) order by 1",
            &[&PERSONAL],
        )
        .await?;
    let mut counted = Vec::new();
    for table in tables {
        let table: String = table.try_get(0)?;
        let file = format!("data/{}.ndjson", table.replace('"', ""));
        let rows = format!("select to_jsonb(r)::text from {table} r where r.org_id = $1");
        cursor(tx, &file, &rows, &[&tx.org_id()], sink, &mut counted).await?;
    }
    Ok(counted)
}

/// What the kernel knows of the organisation: itself, its logo, its members by name, and its rows of shared tables.
async fn kernel_tables(tx: &TenantTx, sink: &Sink, counted: &mut Vec<Counted>) -> Result<Value> {
    const ROWS: &str = "select tenancy.kernel_rows($1)";
    let organization: String = tx.query_one(ROWS, &[&"organization"]).await?.try_get(0)?;
    let organization: Value = serde_json::from_str(&organization).map_err(Error::internal)?;
    if let Some(row) = tx.query_opt(ROWS, &[&"logo"]).await? {
        let text: String = row.try_get(0)?;
        let logo = STANDARD.decode(text.replace('\n', "")).map_err(Error::internal)?;
        let kind = organization["logo_type"].as_str().unwrap_or_default();
        let ending = kind.rsplit('/').next().unwrap_or("bin");
        sink.file(format!("logo.{ending}"), logo).await?;
    }
    cursor(tx, "members.ndjson", ROWS, &[&"members"], sink, counted).await?;
    for table in tx.query("select tenancy.kernel_tables()", &[]).await? {
        let table: String = table.try_get(0)?;
        let file = format!("kernel/{}.ndjson", table.replace('"', ""));
        cursor(tx, &file, ROWS, &[&table], sink, counted).await?;
    }
    Ok(organization)
}

/// Sends the rows of one statement as a file.
async fn cursor(
    tx: &TenantTx,
    file: &str,
    select: &str,
    params: &[&(dyn ToSql + Sync)],
    sink: &Sink,
    counted: &mut Vec<Counted>,
) -> Result<()> {
    tx.execute(&format!("declare export no scroll cursor for {select}"), params)
        .await?;
    sink.send(Some(Piece::File(file.to_owned()))).await?;
    let mut size = Size::new();
    let mut rows_in_all = 0;
    loop {
        let rows = tx
            .query(&format!("fetch forward {} from export", size.rows()), &[])
            .await?;
        if rows.is_empty() {
            break;
        }
        rows_in_all += rows.len() as u64;
        let lines = lines(&rows)?;
        size.learn(rows.len(), lines.len());
        sink.send(Some(Piece::Text(lines))).await?;
    }
    tx.execute("close export", &[]).await?;
    counted.push((file.to_owned(), rows_in_all));
    Ok(())
}

fn lines(rows: &[Row]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for row in rows {
        text.extend_from_slice(row.try_get::<_, &str>(0)?.as_bytes());
        text.push(b'\n');
    }
    Ok(text)
}

/// How many rows to fetch next, by how long the last were.
struct Size(usize);

impl Size {
    fn new() -> Self {
        Self(0)
    }

    fn rows(&self) -> usize {
        STEPS[self.0]
    }

    /// One step up at most, since rows to come may be longer.
    fn learn(&mut self, rows: usize, bytes: usize) {
        let fits = |step: usize| bytes / rows.max(1) * STEPS[step] <= AT_ONCE;
        let highest = (0..STEPS.len()).rev().find(|step| fits(*step)).unwrap_or(0);
        self.0 = highest.min(self.0 + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn short_rows_are_fetched_many_at_once_and_long_ones_alone() {
        let mut size = Size::new();
        let mut seen = vec![size.rows()];
        for _ in 0..4 {
            size.learn(size.rows(), size.rows() * 100);
            seen.push(size.rows());
        }
        assert_eq!(seen, [1, 16, 128, 1024, 1024]);
        size.learn(1, 5_000_000);
        assert_eq!(size.rows(), 1);
    }
}
