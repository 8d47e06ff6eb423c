//! Writing a backup.

use std::{collections::BTreeMap, path::Path};

use futures_util::StreamExt;
use jiff::Timestamp;
use tenon_sdk::{Error, Result, db::connect};
use tenon_storage::store::Store;
use tokio_postgres::Client;

use crate::{
    Progress,
    archive::{Key, PIECE, Writer},
    manifest::{Applied, Begin, End, FORM},
    tables,
};

/// What is backed up, from where, and how.
pub struct Backup<'a> {
    /// The database, as its owner.
    pub database: &'a tokio_postgres::Config,
    /// Where content is kept.
    pub store: &'a dyn Store,
    /// What the file is sealed with.
    pub key: Key,
    /// The file with master keys, to be in the backup.
    pub master_keys: Option<&'a Path>,
    /// Whether secrets are sealed by keys of a file.
    pub needs_master_file: bool,
    /// Leave out tables that no module declared.
    pub without_strangers: bool,
    /// The time.
    pub now: Timestamp,
}

/// Objects asked for at once.
const BATCH: i32 = 1000;

/// Writes a backup of all there is, as it was at one moment, beside servers that go on.
pub async fn make(backup: &Backup<'_>, path: &Path, tell: &mut (dyn FnMut(Progress) + Send)) -> Result<End> {
    if backup.master_keys.is_some() && matches!(backup.key, Key::None) {
        return Err(Error::invalid(
            "backup.key_in_the_open",
            "A backup with master keys in it has to be sealed.",
        )
        .hint("Give --recipient, or set TENON_BACKUP_PASSPHRASE."));
    }
    let (client, task) = connect(backup.database).await?;
    client.batch_execute(tables::FORMS).await?;
    let strangers = tables::strangers(&client).await?;
    if !backup.without_strangers && !strangers.is_empty() {
        return Err(Error::conflict(
            "backup.other_tables",
            "There are tables that Tenon did not make, and cannot put into its backup.",
        )
        .details(strangers.join(", "))
        .hint("Back them up with pg_dump; --without-other-tables goes on without them."));
    }
    // As long as this session lives, no content is deleted.
    client
        .execute("select pg_advisory_lock_shared($1)", &[&tenon_storage::HOLD])
        .await?;
    client
        .batch_execute("begin transaction isolation level repeatable read, read only")
        .await?;
    let begin = describe(&client, backup).await?;
    let mut writer = Writer::create(path, &backup.key, backup.now)?;
    writer.add("begin.json", &json(&begin)?)?;
    if let Some(keys) = backup.master_keys {
        let keys = std::fs::read(keys).map_err(Error::internal)?;
        writer.add("master.keys", &keys)?;
    }
    let mut end = End::default();
    for (table, columns) in &begin.tables {
        let rows = table_to(&client, &mut writer, table, columns).await?;
        tell(Progress::Table {
            name: table.clone(),
            rows,
        });
        end.tables.insert(table.clone(), rows);
    }
    end.sequences = tables::sequences(&client).await?;
    files_to(&client, backup.store, &mut writer, &mut end, tell).await?;
    writer.add("end.json", &json(&end)?)?;
    writer.finish()?;
    client.batch_execute("commit").await?;
    drop(client);
    _ = task.await;
    Ok(end)
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(Error::internal)
}

async fn describe(client: &Client, backup: &Backup<'_>) -> Result<Begin> {
    let migrations = client
        .query(
            "select module, name, checksum from kernel.migrations order by module, name",
            &[],
        )
        .await?
        .iter()
        .map(|row| {
            Ok(Applied {
                module: row.try_get(0)?,
                name: row.try_get(1)?,
                checksum: row.try_get(2)?,
            })
        })
        .collect::<Result<_>>()?;
    let tables = tables::of(client).await?;
    let mut oldest = BTreeMap::new();
    for (table, column) in crate::restore::DIVIDED {
        if !tables.contains_key(*table) {
            continue;
        }
        let sql = format!("select min({column}) from {}", tables::quoted(table));
        if let Some(first) = client.query_one(&sql, &[]).await?.try_get(0)? {
            oldest.insert((*table).to_owned(), first);
        }
    }
    Ok(Begin {
        form: FORM,
        tenon: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: backup.now,
        postgres: client
            .query_one("select current_setting('server_version')", &[])
            .await?
            .try_get(0)?,
        migrations,
        tables,
        oldest,
        needs_master_file: backup.needs_master_file,
    })
}

/// Writes the rows of a table; gives how many.
async fn table_to(client: &Client, writer: &mut Writer, table: &str, columns: &[String]) -> Result<u64> {
    // A parent of partitions is read by a query; rows of other tables come faster by name.
    let columns: Vec<String> = columns.iter().map(|name| tables::quoted_one(name)).collect();
    let sql = format!(
        "copy (select {} from {}) to stdout",
        columns.join(", "),
        tables::quoted(table)
    );
    let mut rows = 0;
    let mut pieces = Pieces::new(format!("tables/{table}"));
    let mut stream = Box::pin(client.copy_out(&sql).await?);
    while let Some(line) = stream.next().await {
        // One message is one row.
        rows += 1;
        pieces.add(writer, &line?)?;
    }
    pieces.end(writer)?;
    Ok(rows)
}

/// Content cut to size.
struct Pieces {
    name: String,
    number: u32,
    bytes: Vec<u8>,
}

impl Pieces {
    fn new(name: String) -> Self {
        Self {
            name,
            number: 0,
            bytes: Vec::new(),
        }
    }

    fn add(&mut self, writer: &mut Writer, mut bytes: &[u8]) -> Result<()> {
        while self.bytes.len() + bytes.len() > PIECE {
            let (now, later) = bytes.split_at(PIECE - self.bytes.len());
            self.bytes.extend_from_slice(now);
            self.write(writer)?;
            bytes = later;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn write(&mut self, writer: &mut Writer) -> Result<()> {
        self.number += 1;
        writer.add(&format!("{}/{:06}", self.name, self.number), &self.bytes)?;
        self.bytes.clear();
        Ok(())
    }

    /// Writes the rest; content without a byte has one piece, too.
    fn end(mut self, writer: &mut Writer) -> Result<()> {
        if self.number == 0 || !self.bytes.is_empty() {
            self.write(writer)?;
        }
        Ok(())
    }
}

async fn files_to(
    client: &Client,
    store: &dyn Store,
    writer: &mut Writer,
    end: &mut End,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<()> {
    client
        .batch_execute(
            "declare objects no scroll cursor for select version, bucket_id || '/' || name \
             from storage.objects where version is not null",
        )
        .await?;
    loop {
        let objects = client.query(&format!("fetch {BATCH} from objects"), &[]).await?;
        if objects.is_empty() {
            return Ok(());
        }
        for object in &objects {
            let (key, name): (String, String) = (object.try_get(0)?, object.try_get(1)?);
            let mut content = match store.get(&key, None).await {
                Ok(content) => content,
                Err(error) if error.code == "storage.content_missing" => {
                    end.missing.push(name);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut pieces = Pieces::new(format!("files/{key}"));
            while let Some(bytes) = content.next().await {
                let bytes = bytes.map_err(|error| Error::internal(format!("{name}: {error}")))?;
                end.bytes += bytes.len() as u64;
                pieces.add(writer, &bytes)?;
            }
            pieces.end(writer)?;
            end.files += 1;
        }
        tell(Progress::Files {
            done: end.files,
            bytes: end.bytes,
        });
    }
}
