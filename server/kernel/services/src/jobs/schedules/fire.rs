//! Enqueues what is due, in the transaction that moves the schedule on.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tenon_sdk::{
    Kernel, OrgId, Result, SystemTx, UserId,
    env::Env,
    schedule::{Missed, Overlap, Times},
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::MOST_MISSED;

/// A time that went by no longer ago was not missed.
const PUNCTUAL: SignedDuration = SignedDuration::from_secs(60);
/// Schedules of one transaction.
const AT_ONCE: i64 = 100;

/// A schedule and what it enqueues.
pub(super) struct Due {
    pub(super) org: OrgId,
    pub(super) id: Uuid,
    user: Option<UserId>,
    cron: String,
    zone: String,
    overlap: Overlap,
    missed: Missed,
    job: String,
    payload: Value,
    max_attempts: i32,
    next_at: Option<Timestamp>,
}

pub(super) const COLUMNS: &str =
    "org_id, id, user_id, cron, zone, overlap, missed, job, payload, max_attempts, next_at";

impl Due {
    pub(super) fn of(row: &Row) -> Result<Self> {
        Ok(Self {
            org: row.try_get(0)?,
            id: row.try_get(1)?,
            user: row.try_get(2)?,
            cron: row.try_get(3)?,
            zone: row.try_get(4)?,
            overlap: Overlap::parse(row.try_get(5)?).unwrap_or_default(),
            missed: Missed::parse(row.try_get(6)?).unwrap_or_default(),
            job: row.try_get(7)?,
            payload: row.try_get(8)?,
            max_attempts: row.try_get(9)?,
            next_at: row.try_get(10)?,
        })
    }

    /// Enqueues so many jobs, as the rule for overlaps says; gives the last that was.
    pub(super) async fn enqueue(&self, tx: &SystemTx, env: &Env, many: usize) -> Result<Option<Uuid>> {
        let key = format!("schedule:{}", self.id);
        let ids: Vec<Uuid> = (0..many).map(|_| env.new_id()).collect();
        let none = vec![None::<i32>; many];
        let unique = vec![(self.overlap == Overlap::Skip).then_some(key.as_str()); many];
        let queued = self.overlap == Overlap::Queue;
        let limits = vec![queued.then_some(key.as_str()); many];
        let concurrent = vec![queued.then_some(1_i32); many];
        let row = tx
            .query_one(
                "select jobs.enqueue_in($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                &[
                    &self.org,
                    &self.user,
                    &self.job,
                    &self.max_attempts,
                    &ids,
                    &vec![&self.payload; many],
                    &unique,
                    &vec![0.0_f64; many],
                    &vec![0_i16; many],
                    &limits,
                    &concurrent,
                    &none,
                    &vec![None::<f64>; many],
                ],
            )
            .await?;
        let made: Vec<Uuid> = row.try_get(0)?;
        Ok(made.last().copied())
    }
}

/// How many jobs the times that went by are worth.
fn worth(times: &[Timestamp], now: Timestamp, missed: Missed) -> usize {
    match missed {
        Missed::All => times.len(),
        Missed::Once => times.len().min(1),
        Missed::Skip => times
            .iter()
            .filter(|at| now.duration_since(**at) <= PUNCTUAL)
            .count()
            .min(1),
    }
}

/// Fires what is due; gives the seconds until the next schedule is.
pub(in super::super) async fn fire(kernel: &Kernel) -> Result<Option<f64>> {
    loop {
        let tx = SystemTx::begin(kernel.db(), "schedules").await?;
        let sql = format!(
            "select {COLUMNS}, now() from jobs.schedules where paused_at is null \
             and (next_at is null or next_at <= now()) order by next_at nulls first limit $1 for update skip locked"
        );
        let rows = tx.query(&sql, &[&AT_ONCE]).await?;
        for row in &rows {
            let now: Timestamp = row.try_get(11)?;
            move_on(kernel.env(), &tx, &Due::of(row)?, now).await?;
        }
        if rows.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX) {
            let sql = "select extract(epoch from min(next_at) - now())::float8 from jobs.schedules \
                       where paused_at is null and next_at is not null";
            let next = tx.query_one(sql, &[]).await?.try_get(0)?;
            tx.commit().await?;
            return Ok(next);
        }
        tx.commit().await?;
    }
}

async fn move_on(env: &Env, tx: &SystemTx, due: &Due, now: Timestamp) -> Result<()> {
    let times = match Times::parse(&due.cron, &due.zone) {
        Ok(times) => times,
        Err(error) => {
            // Written by another version, or the zone is gone.
            tracing::warn!(schedule = %due.id, %error, "a schedule cannot be read; it is paused");
            let sql = "update jobs.schedules set paused_at = now(), error = $3 where org_id = $1 and id = $2";
            return tx
                .execute(sql, &[&due.org, &due.id, &error.to_string()])
                .await
                .map(drop);
        }
    };
    let many = due.next_at.map_or(0, |since| {
        worth(&times.between(since, now, MOST_MISSED), now, due.missed)
    });
    let last = if many > 0 {
        due.enqueue(tx, env, many).await?
    } else {
        None
    };
    let next = times.after(now);
    if next.is_none() {
        tracing::info!(schedule = %due.id, "a schedule has no time to come");
    }
    tx.execute(
        "update jobs.schedules set next_at = coalesce($3, '9999-01-01'::timestamptz), last_job = coalesce($4, last_job), \
         last_at = case when $5 then now() else last_at end where org_id = $1 and id = $2",
        &[&due.org, &due.id, &next, &last, &(many > 0)],
    )
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_is_left_out_made_up_for_once_or_each_time() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let now = at(10_000);
        let late: Vec<_> = [9_990, 9_000, 8_000].map(at).to_vec();
        assert_eq!(
            [Missed::Skip, Missed::Once, Missed::All].map(|m| worth(&late, now, m)),
            [1, 1, 3]
        );
        assert_eq!(
            [Missed::Skip, Missed::Once, Missed::All].map(|m| worth(&late[1..], now, m)),
            [0, 1, 2]
        );
        assert_eq!(
            [Missed::Skip, Missed::Once, Missed::All].map(|m| worth(&[], now, m)),
            [0, 0, 0]
        );
    }
}
