//! Tells the database how jobs ended: whatever has ended while the last batch was written is the next batch.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tenon_sdk::{OrgId, Result, SystemTx, db::Db};
use tokio::{sync::mpsc::Receiver, time::Instant};
use uuid::Uuid;

use super::{held::Held, wake::Wake};

/// Ends written in one transaction.
const AT_ONCE: usize = 500;

#[derive(Debug)]
pub(super) enum Outcome {
    Done,
    Cancelled(Option<Value>),
    /// Again after so many seconds.
    Later(f64, Value),
    Dead(Value),
    /// The database knows already.
    Told,
}

impl Outcome {
    /// As figures call it.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Done | Self::Told => "done",
            Self::Cancelled(_) => "cancelled",
            Self::Later(..) => "failed",
            Self::Dead(_) => "dead",
        }
    }
}

#[derive(Debug)]
pub(super) struct Ended {
    pub(super) id: Uuid,
    pub(super) fence: i64,
    pub(super) began: Instant,
    pub(super) limit: Option<(OrgId, String)>,
    pub(super) outcome: Outcome,
}

/// Writes until nobody can end a job any more.
pub(super) async fn write(db: Db, held: Arc<Held>, wake: Arc<Wake>, mut ended: Receiver<Ended>) {
    let mut batch = Vec::with_capacity(AT_ONCE);
    while ended.recv_many(&mut batch, AT_ONCE).await > 0 {
        // Until it is written: a worker that is alive keeps its lease, so nobody else would ever take these jobs.
        let mut pause = Duration::from_millis(100);
        while let Err(error) = write_once(&db, &batch).await {
            tracing::warn!(%error, jobs = batch.len(), "the end of jobs could not be written; trying again");
            if error.code == "23514" {
                // The history has no week for now: the database's clock has leapt.
                let _ = super::queue::keep_history(&db, i32::MAX / 1000).await;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
        for job in batch.drain(..) {
            held.release(job.id, job.fence);
            if let Some((org, key)) = job.limit {
                wake.held(org.0, key);
            }
        }
    }
}

async fn write_once(db: &Db, batch: &[Ended]) -> Result<()> {
    let (mut over, mut failed) = (Vec::new(), Vec::new());
    for job in batch {
        match &job.outcome {
            Outcome::Done => over.push((job, "done", None)),
            Outcome::Cancelled(error) => over.push((job, "cancelled", error.as_ref())),
            Outcome::Later(pause, error) => failed.push((job, true, *pause, error)),
            Outcome::Dead(error) => failed.push((job, false, 0.0, error)),
            Outcome::Told => {}
        }
    }
    if over.is_empty() && failed.is_empty() {
        return Ok(());
    }
    let tx = SystemTx::begin(db, "finish jobs").await?;
    let mut written = 0;
    if !over.is_empty() {
        let ids: Vec<_> = over.iter().map(|(job, ..)| job.id).collect();
        let fences: Vec<_> = over.iter().map(|(job, ..)| job.fence).collect();
        let outcomes: Vec<_> = over.iter().map(|(_, outcome, _)| *outcome).collect();
        let began: Vec<_> = over
            .iter()
            .map(|(job, ..)| job.began.elapsed().as_secs_f64())
            .collect();
        let errors: Vec<_> = over.iter().map(|(.., error)| *error).collect();
        let rows = tx
            .query(
                include_str!("finish.sql"),
                &[&ids, &fences, &outcomes, &began, &errors],
            )
            .await?;
        written += rows.len();
    }
    if !failed.is_empty() {
        let ids: Vec<_> = failed.iter().map(|(job, ..)| job.id).collect();
        let fences: Vec<_> = failed.iter().map(|(job, ..)| job.fence).collect();
        let again: Vec<_> = failed.iter().map(|(_, again, ..)| *again).collect();
        let pauses: Vec<_> = failed.iter().map(|(_, _, pause, _)| *pause).collect();
        let errors: Vec<_> = failed.iter().map(|(.., error)| *error).collect();
        let rows = tx
            .query(
                include_str!("fail.sql"),
                &[&ids, &fences, &again, &pauses, &errors],
            )
            .await?;
        written += rows.len();
        let mut cancelled = Vec::<Uuid>::new();
        for row in &rows {
            if row.try_get(3)? {
                cancelled.push(row.try_get(0)?);
            }
        }
        if !cancelled.is_empty() {
            tx.execute(include_str!("bury.sql"), &[&cancelled]).await?;
        }
    }
    tx.commit().await?;
    if written < over.len() + failed.len() {
        let late = over.len() + failed.len() - written;
        tracing::warn!(
            late,
            "jobs ended that another worker has by now; it decides about them"
        );
    }
    Ok(())
}
