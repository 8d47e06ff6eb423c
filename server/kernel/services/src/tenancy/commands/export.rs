//! All data of an organisation as one file: a ZIP archive of lines of JSON, a file a table, written while it is sent. Neither a large
//! table nor a slow reader fills the memory: rows are fetched some at a time from cursors, and the next only when the last have
//! gone. All tables are seen as they were when the file began.

use std::{
    io::{self, BufWriter, Write},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use serde_json::{Value, json};
use tenon_sdk::{Ctx, Error, Result, SystemTx, TenantTx, events::Event};
use tokio::sync::mpsc;
use tokio_postgres::Row;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Bytes of rows that are fetched at once, if a row is not longer by itself.
const AT_ONCE: usize = 2 * 1024 * 1024;
/// Steps in which more rows are fetched at once: few, since each is a prepared statement of its own.
const STEPS: [usize; 4] = [1, 16, 128, 1024];
/// How long a reader may take nothing before it is given up.
const PATIENCE: Duration = Duration::from_mins(2);

/// What goes to the thread that packs.
enum Piece {
    File(String),
    Text(Vec<u8>),
}

/// Begins the file; its name and its bytes.
pub(in super::super) async fn export(ctx: &Ctx) -> Result<(String, Body)> {
    let (org, kernel) = (ctx.org_id(), ctx.kernel());
    // The whole organisation, whatever rows its policies would hide from this one owner.
    let tx = Ctx::for_job(kernel.clone(), org, ctx.user_id()).begin().await?;
    let alone: bool = tx
        .query_one(
            "select pg_try_advisory_xact_lock(hashtext('tenancy.export'), hashtext($1::text))",
            &[&org.to_string()],
        )
        .await?
        .try_get(0)?;
    if !alone {
        return Err(
            Error::conflict("tenancy.export_running", "The data is being downloaded already.")
                .hint("Wait until that download has ended."),
        );
    }
    let system = SystemTx::begin(kernel.db(), "export of an organisation").await?;
    let slug: String = system
        .query_one("select slug from tenancy.organizations where id = $1", &[&org])
        .await?
        .try_get(0)?;
    let began = Event::new("tenancy.organization_exported", org.0, json!({}));
    system.emit(kernel.env(), org, ctx.user_id(), &began).await?;
    system.commit().await?;

    let name = format!("{slug}-{}.zip", kernel.env().now().strftime("%Y-%m-%d"));
    let (pieces, to_pack) = mpsc::channel(4);
    let (packed, out) = mpsc::channel(8);
    let failed = packed.clone();
    let packing = tokio::task::spawn_blocking(move || pack(to_pack, packed));
    let reading = tokio::spawn(read(ctx.clone(), tx, pieces));
    tokio::spawn(async move {
        let read = reading.await.map_err(Error::internal).and_then(|read| read);
        let packed = packing
            .await
            .map_err(Error::internal)
            .and_then(|packed| packed.map_err(Error::internal));
        if let Err(error) = read.and(packed) {
            // The reader sees a broken transfer, not a file that looks whole.
            let _ = failed.send(Err(io::Error::other(error.to_string()))).await;
        }
    });
    Ok((
        name,
        Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(out)),
    ))
}

/// Takes bytes to whoever downloads.
struct Outlet(mpsc::Sender<io::Result<Bytes>>);

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(bytes)))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Packs what comes, until no more does. An archive whose pieces ended early has no directory and is not whole.
fn pack(mut pieces: mpsc::Receiver<Option<Piece>>, out: mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(true);
    let mut archive = ZipWriter::new_stream(BufWriter::with_capacity(64 * 1024, Outlet(out)));
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
    let sink = Sink(pieces);
    let mut counted = tenant_tables(&tx, &sink).await?;
    tx.rollback().await?;
    let system = SystemTx::begin(ctx.kernel().db(), "export of an organisation").await?;
    let organization = shared_tables(&system, &ctx, &sink, &mut counted).await?;
    system.rollback().await?;
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

/// The organisation's rows of all apps and engines.
async fn tenant_tables(tx: &TenantTx, sink: &Sink) -> Result<Vec<Counted>> {
    let tables = tx
        .query(
            "select t.relation::text from kernel.tables t join pg_class c on c.oid = t.relation \
             where t.kind = 'tenant' and not c.relispartition order by 1",
            &[],
        )
        .await?;
    let org = tx.org_id();
    let mut names: Vec<String> = Vec::new();
    // All begin before the first is read.
    for (number, table) in tables.iter().enumerate() {
        let table: String = table.try_get(0)?;
        tx.execute(
            &format!(
                "declare export_{number} no scroll cursor for select to_jsonb(r)::text from {table} r where r.org_id = $1"
            ),
            &[&org],
        )
        .await?;
        names.push(table);
    }
    let mut counted = Vec::new();
    for (number, table) in names.into_iter().enumerate() {
        let file = format!("data/{}.ndjson", table.replace('"', ""));
        sink.send(Some(Piece::File(file.clone()))).await?;
        let mut size = Size::new();
        let mut rows_in_all = 0;
        loop {
            let rows = tx
                .query(
                    &format!("fetch forward {} from export_{number}", size.rows()),
                    &[],
                )
                .await?;
            if rows.is_empty() {
                break;
            }
            rows_in_all += rows.len() as u64;
            let lines = lines(&rows)?;
            size.learn(rows.len(), lines.len());
            sink.send(Some(Piece::Text(lines))).await?;
        }
        counted.push((file, rows_in_all));
    }
    Ok(counted)
}

/// What the kernel knows of the organisation: itself, its logo, its members by name, and its rows of shared tables, without what is
/// secret (hashes of keys and links).
async fn shared_tables(tx: &SystemTx, ctx: &Ctx, sink: &Sink, counted: &mut Vec<Counted>) -> Result<Value> {
    let org = ctx.org_id();
    let row = tx
        .query_one(
            "select to_jsonb(o) - 'logo', o.logo, o.logo_type from tenancy.organizations o where o.id = $1",
            &[&org],
        )
        .await?;
    let organization: Value = row.try_get(0)?;
    let logo: Option<Vec<u8>> = row.try_get(1)?;
    if let Some(logo) = logo {
        let kind: String = row.try_get::<_, Option<String>>(2)?.unwrap_or_default();
        let ending = kind.rsplit('/').next().unwrap_or("bin");
        sink.file(format!("logo.{ending}"), logo).await?;
    }
    let members = "select to_jsonb(m)::text from (select m.user_id, u.email, u.raw_user_meta_data ->> 'name' as name, m.role, \
        m.department, m.created_at, m.suspended_at from tenancy.memberships m join auth.users u on u.id = m.user_id \
        where m.org_id = $1 order by m.created_at) m";
    cursor(tx, &org, "members.ndjson", members, sink, counted).await?;
    let tables = tx
        .query(
            "select t.relation::text, coalesce((select string_agg(quote_literal(b.attname), ', ') from pg_attribute b \
                where b.attrelid = t.relation and not b.attisdropped \
                and (b.atttypid = 'bytea'::regtype or b.attname like '%\\_hash')), '') \
             from kernel.tables t join pg_class c on c.oid = t.relation and c.relkind in ('r', 'p') and not c.relispartition \
             join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('tenancy', 'events') \
             join pg_attribute a on a.attrelid = t.relation and a.attname = 'org_id' and not a.attisdropped \
             where t.kind in ('shared', 'system') order by 1",
            &[],
        )
        .await?;
    for table in tables {
        let (table, secret): (String, String) = (table.try_get(0)?, table.try_get(1)?);
        let select = format!(
            "select (to_jsonb(r) - array[{secret}]::text[])::text from {table} r where r.org_id = $1"
        );
        let file = format!("kernel/{}.ndjson", table.replace('"', ""));
        cursor(tx, &org, &file, &select, sink, counted).await?;
    }
    Ok(organization)
}

/// Sends the rows of one statement as a file.
async fn cursor(
    tx: &SystemTx,
    org: &tenon_sdk::OrgId,
    file: &str,
    select: &str,
    sink: &Sink,
    counted: &mut Vec<Counted>,
) -> Result<()> {
    tx.execute(&format!("declare export no scroll cursor for {select}"), &[org])
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
    tx.batch("close export").await?;
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
