//! One run of one job: what it is given, how it can be stopped, and what its end means.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use serde_json::{Value, json};
use tenon_sdk::{
    Error, Kernel, Result,
    db::Db,
    jobs::{JobCtx, JobHandler, JobRun, ProgressSink},
    telemetry::{Scope, trace},
};
use tokio::{sync::mpsc::Sender, time::Instant};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    figures::Figures,
    held::{Held, Strings},
    pace,
    queue::{self, Claimed},
    settle::{Ended, Outcome},
};

/// How long a job that was cancelled has to end by itself.
const GRACE: Duration = Duration::from_secs(5);

pub(super) struct Surroundings {
    pub(super) kernel: Kernel,
    pub(super) handler: Option<JobHandler>,
    pub(super) strings: Option<Strings>,
    pub(super) ends: Sender<Ended>,
    pub(super) held: Arc<Held>,
    pub(super) figures: Figures,
}

/// Stores progress under the fence of one claim.
struct FencedProgress {
    db: Db,
    fence: i64,
}

#[async_trait::async_trait]
impl ProgressSink for FencedProgress {
    async fn store(&self, job: Uuid, progress: &Value) -> Result<()> {
        queue::progress(&self.db, job, self.fence, progress).await
    }
}

/// Counts a job as running until it has ended in whatever way.
struct Running<'a> {
    figures: &'a Figures,
    name: &'static str,
    began: Instant,
    outcome: &'static str,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.figures.ends(self.name, self.outcome, self.began.elapsed());
    }
}

/// Runs a job and hands its end on.
pub(super) async fn one(at: Surroundings, job: Claimed) {
    let scope = Scope::job(job.id, job.org, job.user);
    let name = at.handler.as_ref().map_or("unknown", |handler| handler.name);
    let span = trace::job(name, job.id, job.org, job.attempt);
    scope.around(scoped(at, job).instrument(span)).await;
}

async fn scoped(at: Surroundings, job: Claimed) {
    let (id, fence, began) = (job.id, job.fence, Instant::now());
    let limit = job.limit_key.clone().map(|key| (job.org, key));
    // Lost before it began.
    let Some(strings) = at.strings.clone() else { return };
    let name = at.handler.as_ref().map_or("unknown", |handler| handler.name);
    let waited = at.kernel.env().now().duration_since(job.ready_at);
    at.figures
        .begins(name, Duration::try_from(waited).unwrap_or_default());
    let mut running = Running {
        figures: &at.figures,
        name,
        began,
        outcome: "given_back",
    };
    let outcome = tokio::select! {
        biased;
        () = strings.lost.cancelled() => {
            tracing::warn!(job = %id, "another worker has the job; it was stopped here");
            at.held.release(id, fence);
            running.outcome = "lost";
            return;
        }
        outcome = perform(&at, job, &strings) => outcome,
    };
    running.outcome = outcome.name();
    let _ = at
        .ends
        .send(Ended {
            id,
            fence,
            began,
            limit,
            outcome,
        })
        .await;
}

async fn perform(at: &Surroundings, job: Claimed, strings: &Strings) -> Outcome {
    let (id, attempt, last) = (job.id, job.attempt, job.attempt >= job.max_attempts);
    if strings.cancelled.is_cancelled() {
        return Outcome::Cancelled(None);
    }
    let Some(handler) = &at.handler else {
        let error = Error::not_found("jobs.unknown", "This server knows no such job.").details(job.name);
        return failed(at, (id, attempt, last), &error);
    };
    if last && let Err(error) = queue::begin_last(at.kernel.db(), id, job.fence).await {
        return failed(at, (id, attempt, false), &error);
    }
    let run = JobRun {
        id,
        fence: job.fence,
        attempt,
        last_attempt: last,
        org: job.org,
        user: job.user,
    };
    let progress = Arc::new(FencedProgress {
        db: at.kernel.db().clone(),
        fence: job.fence,
    });
    let ctx = JobCtx::new(at.kernel.clone(), run, progress, strings.cancelled.clone());
    let work = AssertUnwindSafe(handler.run(job.payload, ctx.clone())).catch_unwind();
    let result = tokio::select! {
        result = work => result.unwrap_or_else(|_| Err(Error::internal(format!("job {} panicked", job.name)))),
        () = too_long_cancelled(strings) => Err(cancelled()),
    };
    match result {
        _ if ctx.is_finished() => Outcome::Told,
        Ok(()) => Outcome::Done,
        Err(error) if strings.cancelled.is_cancelled() => Outcome::Cancelled(Some(told(&error))),
        Err(error) => failed(at, (id, attempt, last), &error),
    }
}

async fn too_long_cancelled(strings: &Strings) {
    strings.cancelled.cancelled().await;
    tokio::time::sleep(GRACE).await;
}

fn cancelled() -> Error {
    Error::conflict("jobs.cancelled", "The job was cancelled.")
}

/// An error as rows keep it.
pub(crate) fn told(error: &Error) -> Value {
    // PostgreSQL's jsonb holds every character but one.
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    json!({ "code": clean(&error.code), "message": clean(&error.message),
        "details": error.details.as_deref().map(clean), "hint": error.hint.as_deref().map(clean) })
}

fn failed(at: &Surroundings, (id, attempt, last): (Uuid, i32, bool), error: &Error) -> Outcome {
    tracing::warn!(job = %id, attempt, %error, "job failed");
    if last || !pace::may_pass(error) {
        return Outcome::Dead(told(error));
    }
    let mut random = [0; 2];
    at.kernel.env().fill_random(&mut random);
    let jitter = f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
    Outcome::Later(
        pace::pause_seconds(attempt, jitter, error.retry_after),
        told(error),
    )
}
