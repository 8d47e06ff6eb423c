//! The stream of changes of this process: a replication slot, read in commit order.
//!
//! Each process has a slot of its own, which is made when somebody first listens. It is named after the process that made it; one
//! whose process is gone is taken over by the next that starts, with what it still holds, or dropped. Nothing is confirmed while it
//! is kept for those who come back, so that a restart reads it again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt;
use jiff::Timestamp;
use tenon_sdk::{
    Error, Result, SystemTx,
    db::{Lsn, ReplicationClient, ReplicationEvent},
};

use super::{
    Changes, messages,
    pgoutput::{self, Message},
    position::Position,
    table::{Change, Table},
};

/// What every slot of Tenon's is called first.
const PREFIX: &str = "tenon_realtime_";
/// Changes handed on together at most.
const TOGETHER: usize = 512;
/// How often the slot's place is told to the server, and slots of others are looked after.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const PUBLICATIONS: [&str; 2] = ["supabase_realtime", "supabase_realtime_messages_publication"];
/// Microseconds from 1970 to 2000, where PostgreSQL counts from.
const EPOCH: i64 = 946_684_800_000_000;

/// Streams whenever somebody listens, until the task is dropped.
pub async fn run(changes: Arc<Changes>) {
    let mut pause = Duration::from_millis(200);
    loop {
        changes.wanted().await;
        match stream(&changes).await {
            Ok(()) => pause = Duration::from_millis(200),
            Err(error) => {
                tracing::warn!(%error, details = error.details, "changes are not streamed; trying again");
                changes.is_down(&error);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(10));
            }
        }
    }
}

/// One connection, until nobody listens any more.
async fn stream(changes: &Changes) -> Result<()> {
    let (mut client, slot) = open(changes).await?;
    client.start().await?;
    client.wait_started().await?;
    tracing::info!(slot, "streaming changes");
    changes.is_up();
    let mut reader = Reader {
        changes,
        tables: HashMap::new(),
        begun: None,
        done: 0,
    };
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            event = client.recv() => {
                let mut found = Vec::new();
                let mut event = event?;
                loop {
                    let Some(next) = event else {
                        return Err(Error::unavailable("database.unavailable", "The stream of changes has ended."));
                    };
                    reader.take(next, &mut found).await?;
                    if found.len() >= TOGETHER {
                        break;
                    }
                    match client.recv().now_or_never() {
                        Some(next) => event = next?,
                        None => break,
                    }
                }
                if let Some(last) = found.last() {
                    changes.read_one_of(last.committed);
                    changes.registry.dispatch(found, changes.now());
                }
            }
            _ = look.tick() => {
                reader.confirm(&client);
                look_after(changes, &slot).await;
                if changes.is_idle() {
                    client.shutdown().await?;
                    drop_slot(changes, &slot).await;
                    changes.is_resting();
                    return Ok(());
                }
            }
        }
    }
}

/// A connection and the slot it reads: one whose process is gone, or a new one.
async fn open(changes: &Changes) -> Result<(ReplicationClient, String)> {
    let db = changes.kernel.db();
    let own = changes.slot();
    let mut client = db.replication(&own, &PUBLICATIONS).await?;
    let mut known = client
        .simple_query(&format!(
            "select slot_name, confirmed_flush_lsn from pg_catalog.pg_replication_slots \
             where database = pg_catalog.current_database() and slot_name like '{PREFIX}%' and not active \
             and wal_status <> 'lost' and pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn) <= {} \
             order by slot_name <> '{own}', confirmed_flush_lsn desc",
            changes.settings().slot_max_bytes
        ))
        .await?
        .into_iter();
    if let Some(row) = known.next()
        && let [Some(name), Some(place)] = &row[..]
    {
        let name = String::from_utf8_lossy(name).into_owned();
        let place = Lsn::parse(&String::from_utf8_lossy(place)).map_err(Error::internal)?;
        if name != own {
            // It was somebody's who is gone, so it is ours from now on.
            client = db.replication(&name, &PUBLICATIONS).await?;
            changes.take_slot(&name);
            changes.registry.begins(place.as_u64(), changes.now());
        }
        return Ok((client, name));
    }
    // One of ours that is of no use any more.
    drop_slot(changes, &own).await;
    let made = client
        .simple_query(&format!("CREATE_REPLICATION_SLOT {own} LOGICAL pgoutput NOEXPORT_SNAPSHOT"))
        .await
        .map_err(|error| {
            Error::unavailable("realtime.no_slot", "The database makes no replication slot.")
                .details(error.to_string())
                .hint("Row changes need wal_level = logical, a free replication slot and a login that may replicate.")
        })?;
    let place = made.first().and_then(|row| row.get(1)?.as_deref());
    let place = place.map_or(Ok(0), |place| {
        Lsn::parse(&String::from_utf8_lossy(place)).map(Lsn::as_u64)
    });
    if changes.had_slot() {
        // Not before the new one stands: what is read anew then misses nothing.
        changes
            .registry
            .broke("The stream of changes was lost: read again what you show.");
    }
    changes.has_slot();
    changes
        .registry
        .begins(place.map_err(Error::internal)?, changes.now());
    Ok((client, own))
}

/// Drops slots that nobody reads, and warns of what holds back too much.
async fn look_after(changes: &Changes, own: &str) {
    let settings = changes.settings();
    let look = async {
        let tx = SystemTx::begin(
            changes.kernel.db(),
            "replication slots of processes that are gone",
        )
        .await?;
        let idle = i64::try_from(settings.slot_idle_seconds).unwrap_or(i64::MAX);
        let most = i64::try_from(settings.slot_max_bytes).unwrap_or(i64::MAX);
        let rows = tx
            .query(
                "select slot, dropped, held from realtime.look_after_slots($1, $2, $3)",
                &[&own, &idle, &most],
            )
            .await?;
        tx.commit().await?;
        for row in rows {
            let (slot, dropped, held): (String, bool, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            if dropped {
                tracing::warn!(slot, held, "a replication slot that nobody reads was dropped");
            } else {
                tracing::error!(slot, held, "a replication slot holds back too much of the log");
            }
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = look.await {
        tracing::warn!(%error, "replication slots could not be looked after");
    }
}

async fn drop_slot(changes: &Changes, slot: &str) {
    let gone = async {
        let tx = SystemTx::begin(changes.kernel.db(), "a replication slot that is done with").await?;
        tx.query("select realtime.drop_slot($1)", &[&slot]).await?;
        tx.commit().await
    };
    if let Err(error) = gone.await {
        tracing::warn!(%error, slot, "a replication slot could not be dropped");
    }
}

/// What has been read so far.
struct Reader<'a> {
    changes: &'a Changes,
    tables: HashMap<u32, Arc<Table>>,
    begun: Option<(u64, Timestamp, u32)>,
    done: u64,
}

impl Reader<'_> {
    async fn take(&mut self, event: ReplicationEvent, found: &mut Vec<Change>) -> Result<()> {
        match event {
            ReplicationEvent::Begin {
                final_lsn,
                commit_time_micros,
                ..
            } => {
                let at = Timestamp::from_microsecond(commit_time_micros + EPOCH).map_err(Error::internal)?;
                self.begun = Some((final_lsn.as_u64(), at, 0));
            }
            ReplicationEvent::Commit { end_lsn, .. } => {
                self.begun = None;
                self.done = self.done.max(end_lsn.as_u64());
            }
            ReplicationEvent::XLogData { data, .. } => self.row(data, found).await?,
            // Between transactions nothing before the server's place is still to come.
            ReplicationEvent::KeepAlive { wal_end, .. } if self.begun.is_none() => {
                self.done = self.done.max(wal_end.as_u64());
            }
            _ => {}
        }
        Ok(())
    }

    async fn row(&mut self, data: Bytes, found: &mut Vec<Change>) -> Result<()> {
        let message =
            pgoutput::read(data).map_err(|_| Error::internal("a change of the log cannot be read"))?;
        match message {
            Message::Relation(relation) => {
                let tx = SystemTx::begin(self.changes.kernel.db(), "a table whose changes are read").await?;
                let row = tx
                    .query_one("select realtime.relation($1)", &[&relation.oid])
                    .await?;
                tx.commit().await?;
                let described: Option<serde_json::Value> = row.try_get(0)?;
                match described {
                    Some(described) => {
                        self.tables
                            .insert(relation.oid, Table::new(&relation, described)?.into());
                    }
                    // It was dropped meanwhile: nobody may see it any more.
                    None => drop(self.tables.remove(&relation.oid)),
                }
                self.changes.schema_changed();
            }
            Message::Row(row) => {
                let (Some(table), Some((log, at, number))) = (self.tables.get(&row.table), &mut self.begun)
                else {
                    return Ok(());
                };
                *number += 1;
                let position = Position {
                    log: *log,
                    number: *number,
                };
                let change = Change::new(position, *at, table.clone(), row);
                if messages::is_one(&change) {
                    messages::deliver(self.changes, &change);
                } else {
                    found.push(change);
                }
            }
            Message::Truncate(_) | Message::Other => {}
        }
        Ok(())
    }

    /// Tells the server what it need not keep.
    fn confirm(&self, client: &ReplicationClient) {
        let kept = self.changes.registry.kept_from(self.changes.now());
        let place = kept.map_or(self.done, |log| log.saturating_sub(1).min(self.done));
        client.update_applied_lsn(Lsn::from(place));
    }
}
