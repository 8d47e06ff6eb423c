//! Work that happens after the transaction that asked for it: at least once, with retries.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    ctx::Ctx,
    error::{Error, Result},
    ids::{OrgId, UserId},
    kernel::Kernel,
};

/// Progress within one phase is told at most this often: it is for people to watch, and each telling costs two
/// transactions.
const PROGRESS_PAUSE: Duration = Duration::from_millis(250);

/// A kind of job: its data, serialised into the queue, and what to do with it.
///
/// A job may run more than once (a worker may die after its work and before saying so), so `run` must be safe to repeat.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `module.verb_thing`; stable, since it is stored.
    const NAME: &'static str;
    /// Attempts before the job is put aside as dead.
    const MAX_ATTEMPTS: i32 = 5;
    /// Does the work.
    fn run(self, job: JobCtx) -> impl Future<Output = Result<()>> + Send;
}

/// The surroundings of a running job.
#[derive(Clone)]
pub struct JobCtx {
    kernel: Kernel,
    id: Uuid,
    attempt: i32,
    last_attempt: bool,
    org: OrgId,
    user: Option<UserId>,
    progress: Arc<dyn ProgressSink>,
    told: Arc<Mutex<Option<(String, Instant)>>>,
}

/// Where a job's progress goes; the queue implements it.
#[async_trait::async_trait]
pub trait ProgressSink: Send + Sync {
    /// Stores the progress of a job. An error means that the job was taken from this worker and must stop.
    async fn store(&self, job: Uuid, progress: &Value) -> Result<()>;
}

impl JobCtx {
    /// Made by the queue for each run.
    pub fn new(
        kernel: Kernel,
        id: Uuid,
        attempt: (i32, bool),
        org: OrgId,
        user: Option<UserId>,
        progress: Arc<dyn ProgressSink>,
    ) -> Self {
        let (attempt, last_attempt) = attempt;
        Self {
            kernel,
            id,
            attempt,
            last_attempt,
            org,
            user,
            progress,
            told: Arc::default(),
        }
    }

    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The job's id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> i32 {
        self.attempt
    }

    /// Whether a failure now is final.
    pub fn is_last_attempt(&self) -> bool {
        self.last_attempt
    }

    /// A context that acts for the organisation and person that enqueued the job, with all permissions of the server.
    pub fn ctx(&self) -> Ctx {
        Ctx::for_job(self.kernel.clone(), self.org, self.user)
    }

    /// Tells how far the work is: stored with the job and shown at once to whoever watches `topic`. May be called as
    /// often as one likes; the beginning and the end of a phase are always told.
    pub async fn progress(&self, topic: &str, done: u64, total: u64, phase: &str) -> Result<()> {
        if !self.is_time_to_tell(phase, total > 0 && done >= total) {
            return Ok(());
        }
        let progress = json!({ "done": done, "total": total, "phase": phase });
        self.progress.store(self.id, &progress).await?;
        self.kernel
            .live()
            .publish(self.org, topic, "progress", progress)
            .await;
        Ok(())
    }

    fn is_time_to_tell(&self, phase: &str, ends: bool) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let lately =
            |(known, at): &(String, Instant)| known == phase && now.duration_since(*at) < PROGRESS_PAUSE;
        if !ends && told.as_ref().is_some_and(lately) {
            return false;
        }
        *told = Some((phase.to_owned(), now));
        true
    }
}

type Run = Arc<dyn Fn(Value, JobCtx) -> Pin<Box<dyn Future<Output = Result<()>> + Send>> + Send + Sync>;

/// A registered kind of job.
#[derive(Clone)]
pub struct JobHandler {
    /// The job's name.
    pub name: &'static str,
    run: Run,
}

impl JobHandler {
    /// The handler of a job type.
    pub fn of<J: Job>() -> Self {
        let run: Run = Arc::new(|payload, ctx| {
            Box::pin(async move {
                let job: J = serde_json::from_value(payload)
                    .map_err(|error| Error::internal(format!("job {} cannot be read: {error}", J::NAME)))?;
                job.run(ctx).await
            })
        });
        Self { name: J::NAME, run }
    }

    /// Runs one job of this kind.
    pub async fn run(&self, payload: Value, ctx: JobCtx) -> Result<()> {
        (self.run)(payload, ctx).await
    }
}

impl std::fmt::Debug for JobHandler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("JobHandler").field(&self.name).finish()
    }
}
