//! Work that happens after the transaction that asked for it: at least once, with retries.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    ctx::Ctx,
    db::TenantTx,
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
    /// Whether it mostly waits for somebody outside. Such jobs take no place of those that work here, and many wait at a time.
    const WAITS: bool = false;
    /// Does the work.
    fn run(self, job: JobCtx) -> impl Future<Output = Result<()>> + Send;
}

/// One run of a job, as the queue knows it.
#[derive(Clone, Copy, Debug)]
pub struct JobRun {
    /// The job.
    pub id: Uuid,
    /// The number of this claim; whoever has the job after this one knows a higher one.
    pub fence: i64,
    /// From 1.
    pub attempt: i32,
    /// Whether a failure now is final.
    pub last_attempt: bool,
    /// Whose it is.
    pub org: OrgId,
    /// Who asked for it.
    pub user: Option<UserId>,
}

/// The surroundings of a running job.
#[derive(Clone)]
pub struct JobCtx {
    kernel: Kernel,
    run: JobRun,
    progress: Arc<dyn ProgressSink>,
    told: Arc<Mutex<Option<(String, Instant)>>>,
    cancelled: CancellationToken,
    finished: Arc<AtomicBool>,
}

/// Where a job's progress goes; the queue implements it.
#[async_trait::async_trait]
pub trait ProgressSink: Send + Sync {
    /// Stores the progress of a job. An error means that the job was taken from this worker and must stop.
    async fn store(&self, job: Uuid, progress: &Value) -> Result<()>;
}

impl JobCtx {
    /// Made by the queue for each run. `cancelled` is set when somebody wants the job to stop.
    pub fn new(
        kernel: Kernel,
        run: JobRun,
        progress: Arc<dyn ProgressSink>,
        cancelled: CancellationToken,
    ) -> Self {
        Self {
            kernel,
            run,
            progress,
            told: Arc::default(),
            cancelled,
            finished: Arc::default(),
        }
    }

    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The job's id.
    pub fn id(&self) -> Uuid {
        self.run.id
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> i32 {
        self.run.attempt
    }

    /// Whether a failure now is final.
    pub fn is_last_attempt(&self) -> bool {
        self.run.last_attempt
    }

    /// A context that acts for the organisation and person that enqueued the job, with all permissions of the server.
    pub fn ctx(&self) -> Ctx {
        Ctx::for_job(self.kernel.clone(), self.run.org, self.run.user)
    }

    /// Set when somebody cancels the job. One that looks at it has some seconds to leave things tidy; then it is dropped.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// Commits the job's last transaction and its end together: after it the job cannot run again, before it nothing of it is
    /// there. An error means that another worker has the job, and nothing was committed.
    pub async fn finish(&self, tx: TenantTx) -> Result<()> {
        let row = tx
            .query_one("select jobs.finish_own($1, $2)", &[&self.run.id, &self.run.fence])
            .await?;
        if !row.try_get::<_, bool>(0)? {
            return Err(lease_lost());
        }
        tx.commit().await?;
        self.finished.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether [`JobCtx::finish`] has ended the job.
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// Tells how far the work is: stored with the job and shown at once to whoever watches `topic`. May be called as
    /// often as one likes; the beginning and the end of a phase are always told.
    pub async fn progress(&self, topic: &str, done: u64, total: u64, phase: &str) -> Result<()> {
        if !self.is_time_to_tell(phase, total > 0 && done >= total) {
            return Ok(());
        }
        let progress = json!({ "done": done, "total": total, "phase": phase });
        self.progress.store(self.run.id, &progress).await?;
        self.kernel
            .live()
            .publish(self.run.org, topic, "progress", progress)
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

/// What a worker learns that was silent for too long.
pub fn lease_lost() -> Error {
    Error::conflict("jobs.lease_lost", "The job was given to another worker.")
}

type Run = Arc<dyn Fn(Value, JobCtx) -> Pin<Box<dyn Future<Output = Result<()>> + Send>> + Send + Sync>;

/// A registered kind of job.
#[derive(Clone)]
pub struct JobHandler {
    /// The job's name.
    pub name: &'static str,
    /// As [`Job::WAITS`].
    pub waits: bool,
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
        Self {
            name: J::NAME,
            waits: J::WAITS,
            run,
        }
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
