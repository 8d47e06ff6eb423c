//! The statements of the queue. Time is the database's, so that servers with different clocks agree on leases.

use serde_json::{Value, json};
use tenon_sdk::{Error, OrgId, Result, SystemTx, UserId, db::Db, error::Kind};
use uuid::Uuid;

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
}

const CLAIM: &str = include_str!("claim.sql");
const EXPIRE: &str = include_str!("expire.sql");

/// Takes up to `most` jobs that are due. Jobs whose worker fell silent are given back first.
pub(super) async fn claim(db: &Db, worker: Uuid, most: i64, lease_seconds: i64) -> Result<Vec<Claimed>> {
    let tx = SystemTx::begin(db, "claim jobs").await?;
    tx.execute(EXPIRE, &[]).await?;
    let rows = tx.query(CLAIM, &[&worker, &most, &lease_seconds]).await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            Ok(Claimed {
                id: row.try_get(0)?,
                org: row.try_get(1)?,
                user: row.try_get(2)?,
                name: row.try_get(3)?,
                payload: row.try_get(4)?,
                attempt: row.try_get(5)?,
                max_attempts: row.try_get(6)?,
                fence: row.try_get(7)?,
            })
        })
        .collect()
}

/// Seconds until the next waiting job is due, if one waits.
pub(super) async fn next_due(db: &Db) -> Result<Option<f64>> {
    let tx = SystemTx::begin(db, "next job").await?;
    let row = tx
        .query_one(
            "select extract(epoch from min(at) - now())::float8 from ( \
             select min(run_at) as at from jobs.queue where state = 'waiting' union all \
             select min(lease_until) from jobs.queue where state = 'running') due",
            &[],
        )
        .await?;
    tx.commit().await?;
    Ok(row.try_get(0)?)
}

fn lost() -> Error {
    Error::conflict("jobs.lease_lost", "The job was given to another worker.")
}

/// Moves a finished job to the history.
pub(super) async fn finish(db: &Db, job: &Claimed) -> Result<()> {
    let tx = SystemTx::begin(db, "finish job").await?;
    let moved = tx
        .execute(
            "with done as (delete from jobs.queue where id = $1 and fence = $2 returning *) \
             insert into jobs.history (id, org_id, user_id, name, attempts, created_at) \
             select id, org_id, user_id, name, attempts, created_at from done",
            &[&job.id, &job.fence],
        )
        .await?;
    if moved == 0 {
        return Err(lost());
    }
    tx.commit().await
}

/// Puts a failed job back with a pause, or aside when nothing will change by trying again.
pub(super) async fn fail(db: &Db, job: &Claimed, error: &Error, jitter: f64) -> Result<()> {
    let passing = matches!(
        error.kind,
        Kind::Unavailable | Kind::Internal | Kind::RateLimited | Kind::Conflict
    );
    let again = passing && job.attempt < job.max_attempts;
    let pause = pause_seconds(job.attempt, jitter);
    let told =
        json!({ "code": error.code, "message": error.message, "details": error.details, "hint": error.hint });
    let tx = SystemTx::begin(db, "failed job").await?;
    tx.execute(
        "update jobs.queue set state = $3, error = $4, lease_until = null, worker = null, \
         run_at = now() + make_interval(secs => $5) where id = $1 and fence = $2",
        &[
            &job.id,
            &job.fence,
            &if again { "waiting" } else { "dead" },
            &told,
            &pause,
        ],
    )
    .await?;
    tx.commit().await
}

/// Doubling from one second up to five minutes, spread by up to a half so that failures do not come back together.
fn pause_seconds(attempt: i32, jitter: f64) -> f64 {
    let base = 2_f64.powi((attempt - 1).clamp(0, 12)).min(300.0);
    base * (0.5 + jitter.clamp(0.0, 1.0))
}

/// Extends a lease; an error if another worker has the job.
pub(super) async fn extend(db: &Db, job: Uuid, fence: i64, lease_seconds: i64) -> Result<()> {
    let tx = SystemTx::begin(db, "extend lease").await?;
    let extended = tx
        .execute(
            "update jobs.queue set lease_until = now() + $3::bigint * interval '1 second' \
             where id = $1 and fence = $2 and state = 'running'",
            &[&job, &fence, &lease_seconds],
        )
        .await?;
    tx.commit().await?;
    if extended == 0 { Err(lost()) } else { Ok(()) }
}

/// Stores progress; an error if another worker has the job.
pub(super) async fn progress(db: &Db, job: Uuid, fence: i64, progress: &Value) -> Result<()> {
    let tx = SystemTx::begin(db, "job progress").await?;
    let stored = tx
        .execute(
            "update jobs.queue set progress = $3 where id = $1 and fence = $2",
            &[&job, &fence, progress],
        )
        .await?;
    tx.commit().await?;
    if stored == 0 { Err(lost()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::pause_seconds;

    #[test]
    fn pauses_double_and_stay_within_their_bounds() {
        let steady: Vec<f64> = (1..=4).map(|attempt| pause_seconds(attempt, 0.5)).collect();
        assert_eq!(steady, [1.0, 2.0, 4.0, 8.0]);
        for attempt in -3..100 {
            for jitter in [0.0, 0.3, 1.0] {
                let pause = pause_seconds(attempt, jitter);
                assert!((0.5..=450.0).contains(&pause), "{attempt} {jitter} {pause}");
            }
        }
    }
}
