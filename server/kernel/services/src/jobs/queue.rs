//! The statements of the queue. Time is the database's, so that servers with different clocks agree on leases.

use jiff::Timestamp;
use serde_json::Value;
use tenon_sdk::{OrgId, Result, SystemTx, UserId, db::Db, jobs::lease_lost};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    lanes::Ask,
    wake::{Lane, Wake},
};

/// A job taken from the queue.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) id: Uuid,
    pub(super) org: OrgId,
    pub(super) user: Option<UserId>,
    pub(super) name: String,
    pub(super) payload: Value,
    pub(super) attempt: i32,
    pub(super) max_attempts: i32,
    pub(super) fence: i64,
    pub(super) priority: i16,
    pub(super) ready_at: Timestamp,
    pub(super) limit_key: Option<String>,
}

/// Jobs by their ids and fences, as the statements take them.
pub(super) fn fences(jobs: impl Iterator<Item = (Uuid, i64)>) -> (Vec<Uuid>, Vec<i64>) {
    jobs.unzip()
}

/// Begins a transaction of the queue's with plans that go along its indexes, and renews the worker's lease in it.
async fn begin(db: &Db, reason: &'static str, worker: Uuid, lease_seconds: i64) -> Result<SystemTx> {
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&worker, &lease_seconds];
    let (tx, _) = SystemTx::begin_query_opt(db, reason, include_str!("renew.sql"), &params).await?;
    Ok(tx)
}

/// Takes jobs out of lanes.
pub(super) async fn claim(db: &Db, worker: Uuid, lease_seconds: i64, asks: &[Ask]) -> Result<Vec<Claimed>> {
    let orgs: Vec<_> = asks.iter().map(|ask| ask.lane.org).collect();
    let priorities: Vec<_> = asks.iter().map(|ask| ask.lane.priority).collect();
    let since: Vec<_> = asks.iter().map(|ask| ask.since).collect();
    let most: Vec<_> = asks.iter().map(|ask| ask.most).collect();
    let tx = begin(db, "claim jobs", worker, lease_seconds).await?;
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&worker, &orgs, &priorities, &since, &most];
    let rows = tx.query(include_str!("claim.sql"), &params).await?;
    tx.commit().await?;
    let claimed = rows.iter().map(|row| {
        Ok(Claimed {
            id: row.try_get(0)?,
            org: row.try_get(1)?,
            user: row.try_get(2)?,
            name: row.try_get(3)?,
            payload: row.try_get(4)?,
            attempt: row.try_get(5)?,
            max_attempts: row.try_get(6)?,
            fence: row.try_get(7)?,
            priority: row.try_get(8)?,
            ready_at: row.try_get(9)?,
            limit_key: row.try_get(10)?,
        })
    });
    claimed.collect()
}

/// Renews the lease; gives those of the jobs that are the worker's still, and whether they are to be cancelled.
pub(super) async fn renew(
    db: &Db,
    worker: Uuid,
    lease_seconds: i64,
    jobs: (Vec<Uuid>, Vec<i64>),
) -> Result<Vec<(Uuid, bool)>> {
    let tx = begin(db, "renew lease", worker, lease_seconds).await?;
    let sql = "select q.id, q.cancel_at is not null from unnest($1::uuid[], $2::bigint[]) mine (id, fence) \
               join jobs.queue q on q.id = mine.id and q.fence = mine.fence and q.state = 'running'";
    let rows = tx.query(sql, &[&jobs.0, &jobs.1]).await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

/// Gives back what the worker has taken by the database's account and not by its own: the answer to a claim was lost.
pub(super) async fn reconcile(db: &Db, worker: Uuid, lease_seconds: i64, own: &[Uuid]) -> Result<()> {
    let tx = begin(db, "reconcile jobs", worker, lease_seconds).await?;
    let sql = "select id, fence from jobs.queue where worker = $1 and state = 'running' and id <> all ($2)";
    let rows = tx.query(sql, &[&worker, &own]).await?;
    let lost: Vec<(Uuid, i64)> = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_>>()?;
    give_back_in(&tx, lost.into_iter()).await?;
    tx.commit().await
}

/// Gives back jobs that were not begun.
pub(super) async fn give_back(db: &Db, jobs: impl Iterator<Item = (Uuid, i64)>) -> Result<()> {
    let tx = SystemTx::begin(db, "give jobs back").await?;
    give_back_in(&tx, jobs).await?;
    tx.commit().await
}

/// Gives back all that a worker has that is on its way out, and its lease.
pub(super) async fn leave(db: &Db, worker: Uuid, jobs: &[(Uuid, i64)]) -> Result<()> {
    let tx = SystemTx::begin(db, "a worker leaves").await?;
    give_back_in(&tx, jobs.iter().copied()).await?;
    // Whatever else is the worker's by the database's account is nobody's now, and given back by whoever looks next.
    tx.execute("delete from jobs.workers where id = $1", &[&worker])
        .await?;
    tx.commit().await
}

async fn give_back_in(tx: &SystemTx, jobs: impl Iterator<Item = (Uuid, i64)>) -> Result<()> {
    let (ids, fences) = fences(jobs);
    let rows = tx.query(include_str!("return.sql"), &[&ids, &fences]).await?;
    let back: Vec<_> = rows
        .iter()
        .map(|row| {
            let lane = Lane {
                org: row.try_get(1)?,
                priority: row.try_get(3)?,
            };
            let limit: Option<String> = row.try_get(2)?;
            Ok((lane, limit, row.try_get(4)?))
        })
        .collect::<Result<_>>()?;
    tell(tx, &back).await
}

/// Tells all workers of lanes with something in them since a moment, or of limits with something before them.
async fn tell(tx: &SystemTx, lanes: &[(Lane, Option<String>, Timestamp)]) -> Result<()> {
    if lanes.is_empty() {
        return Ok(());
    }
    let orgs: Vec<_> = lanes.iter().map(|(lane, ..)| lane.org).collect();
    let priorities: Vec<_> = lanes.iter().map(|(lane, ..)| lane.priority).collect();
    let limits: Vec<_> = lanes.iter().map(|(_, limit, _)| limit.as_deref()).collect();
    let since: Vec<_> = lanes.iter().map(|(.., since)| *since).collect();
    tx.query(include_str!("tell.sql"), &[&orgs, &priorities, &limits, &since])
        .await
        .map(drop)
}

/// Rows of state, organisation, priority, limit, moment and number.
async fn tell_rows(tx: &SystemTx, rows: &[Row]) -> Result<i64> {
    let (mut lanes, mut count) = (Vec::new(), 0);
    for row in rows {
        count += row.try_get::<_, i64>(5)?;
        if row.try_get::<_, &str>(0)? != "dead" {
            let lane = Lane {
                org: row.try_get(1)?,
                priority: row.try_get(2)?,
            };
            lanes.push((lane, row.try_get(3)?, row.try_get(4)?));
        }
    }
    tell(tx, &lanes).await?;
    Ok(count)
}

/// Gives back the jobs of workers that fell silent; gives how many.
pub(super) async fn expire(db: &Db, worker: Uuid, lease_seconds: i64) -> Result<i64> {
    let tx = begin(db, "expire leases", worker, lease_seconds).await?;
    let rows = tx.query(include_str!("expire.sql"), &[]).await?;
    let count = tell_rows(&tx, &rows).await?;
    tx.commit().await?;
    Ok(count)
}

/// Brings up to a thousand jobs whose time has come into their lanes. Gives how many, the database's time, and the seconds until the next
/// is due. `floor`: nothing waits that was due before.
pub(super) async fn promote(
    db: &Db,
    worker: Uuid,
    lease_seconds: i64,
    floor: Timestamp,
) -> Result<(i64, Timestamp, Option<f64>)> {
    let tx = begin(db, "promote jobs", worker, lease_seconds).await?;
    let rows = tx.query(include_str!("promote.sql"), &[&floor]).await?;
    let count = tell_rows(&tx, &rows).await?;
    let sql = "select now(), (select extract(epoch from run_at - now())::float8 from jobs.queue \
               where state = 'waiting' and run_at >= $1 order by run_at limit 1)";
    let row = tx.query_one(sql, &[&floor]).await?;
    let next = (row.try_get(0)?, row.try_get(1)?);
    tx.commit().await?;
    Ok((count, next.0, next.1))
}

/// Looks at everything: tells `wake` of all lanes and limits, and gives back jobs that no worker has.
pub(super) async fn sweep(db: &Db, worker: Uuid, lease_seconds: i64, wake: &Wake) -> Result<()> {
    let tx = begin(db, "look at the queue", worker, lease_seconds).await?;
    let sql = "update jobs.queue q set state = 'waiting', worker = null, fence = fence + 1, run_at = now() \
               where state = 'running' and not exists (select from jobs.workers w where w.id = q.worker)";
    tx.execute(sql, &[]).await?;
    let lanes = tx.query(include_str!("sweep.sql"), &[]).await?;
    let held = tx.query(include_str!("held.sql"), &[]).await?;
    tx.commit().await?;
    for row in &lanes {
        let lane = Lane {
            org: row.try_get(0)?,
            priority: row.try_get(1)?,
        };
        wake.ready(lane, row.try_get(2)?);
    }
    for row in &held {
        wake.held(row.try_get(0)?, row.try_get(1)?);
    }
    Ok(())
}

/// Lets through what a limit has room for; gives the seconds until there may be more.
pub(super) async fn admit(db: &Db, org: Uuid, key: &str) -> Result<Option<f64>> {
    let tx = SystemTx::begin(db, "admit jobs").await?;
    let row = tx.query_one("select jobs.admit($1, $2)", &[&org, &key]).await?;
    tx.commit().await?;
    Ok(row.try_get(0)?)
}

/// Makes the weeks of the history that come, and drops those that are not kept.
pub(super) async fn keep_history(db: &Db, days: i32) -> Result<()> {
    let tx = SystemTx::begin(db, "history of jobs").await?;
    let row = tx.query_one("select jobs.keep_history($1)", &[&days]).await?;
    tx.execute(
        "delete from jobs.limits l where filled_at < now() - interval '7 days' and not exists (select from jobs.queue q \
         where q.org_id = l.org_id and q.limit_key = l.key and q.state <> 'dead')",
        &[],
    )
    .await?;
    tx.commit().await?;
    let dropped: i32 = row.try_get(0)?;
    if dropped > 0 {
        tracing::info!(dropped, "weeks of the history of jobs were dropped");
    }
    Ok(())
}

/// Marks the last attempt of a job as begun; an error if another worker has the job.
pub(super) async fn begin_last(db: &Db, job: Uuid, fence: i64) -> Result<()> {
    let sql = "update jobs.queue set started_at = clock_timestamp() where id = $1 and fence = $2 and state = 'running'";
    fenced(db, "last attempt", sql, &[&job, &fence]).await
}

/// Stores progress; an error if another worker has the job.
pub(super) async fn progress(db: &Db, job: Uuid, fence: i64, progress: &Value) -> Result<()> {
    let sql = "update jobs.queue set progress = $3 where id = $1 and fence = $2 and state = 'running'";
    fenced(db, "job progress", sql, &[&job, &fence, progress]).await
}

async fn fenced(
    db: &Db,
    reason: &'static str,
    sql: &str,
    params: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<()> {
    let tx = SystemTx::begin(db, reason).await?;
    if tx.execute_and_commit(sql, params).await? == 0 {
        return Err(lease_lost());
    }
    Ok(())
}
