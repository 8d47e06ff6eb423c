//! The loop that takes jobs and runs them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tenon_sdk::{
    Error, Kernel, Result,
    error::Kind,
    jobs::{JobCtx, JobHandler},
};
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use super::{
    lease::{self, FencedProgress},
    queue::{self, Claimed},
};

/// Works until the task is dropped; running jobs are then given up and another worker takes them when their lease ends.
pub async fn work(kernel: Kernel, wake: Arc<Notify>) {
    let workers = kernel.config().jobs.workers;
    if workers == 0 {
        return;
    }
    let handlers: HashMap<&'static str, JobHandler> = kernel
        .modules()
        .iter()
        .flat_map(|module| module.jobs.iter().map(|handler| (handler.name, handler.clone())))
        .collect();
    let shared = Arc::new(Worker {
        id: kernel.env().new_id(),
        kernel,
        handlers,
    });
    let free = Arc::new(Semaphore::new(workers));
    let mut running = tokio::task::JoinSet::new();
    loop {
        while running.try_join_next().is_some() {}
        let taken = match shared.take(free.available_permits()).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(%error, "queue is out of reach");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let none = taken.is_empty();
        for job in taken {
            let Ok(permit) = free.clone().acquire_owned().await else {
                return;
            };
            let (shared, wake) = (shared.clone(), wake.clone());
            running.spawn(async move {
                shared.run(job).await;
                drop(permit);
                wake.notify_one();
            });
        }
        if none {
            let pause = shared.pause().await;
            let _ = tokio::time::timeout(pause, wake.notified()).await;
        }
    }
}

struct Worker {
    id: Uuid,
    kernel: Kernel,
    handlers: HashMap<&'static str, JobHandler>,
}

impl Worker {
    async fn take(&self, most: usize) -> Result<Vec<Claimed>> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        queue::claim(
            self.kernel.db(),
            self.id,
            most,
            self.kernel.config().jobs.lease_seconds,
        )
        .await
    }

    /// How long to sleep when nothing was due: until the next job is, or the usual look.
    async fn pause(&self) -> Duration {
        let usual = Duration::from_secs(self.kernel.config().jobs.poll_seconds.max(1));
        match queue::next_due(self.kernel.db()).await {
            Ok(Some(seconds)) => usual.min(Duration::from_secs_f64(seconds.max(0.05))),
            _ => usual,
        }
    }

    async fn run(&self, job: Claimed) {
        let db = self.kernel.db();
        let Some(handler) = self.handlers.get(job.name.as_str()).cloned() else {
            let error =
                Error::not_found("jobs.unknown", "This server knows no such job.").details(job.name.clone());
            self.failed(&job, &error).await;
            return;
        };
        let ctx = JobCtx::new(
            self.kernel.clone(),
            job.id,
            (job.attempt, job.attempt >= job.max_attempts),
            job.org,
            job.user,
            FencedProgress::shared(db, job.fence),
        );
        let payload = job.payload.clone();
        let work = async move { handler.run(payload, ctx).await };
        let lease = self.kernel.config().jobs.lease_seconds;
        let result = match lease::hold(db, (job.id, job.fence), lease, work).await {
            Ok(()) => queue::finish(db, &job).await,
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            self.failed(&job, &error).await;
        }
    }

    async fn failed(&self, job: &Claimed, error: &Error) {
        tracing::warn!(job = %job.id, name = job.name, attempt = job.attempt, %error, "job failed");
        let mut random = [0; 1];
        self.kernel.env().fill_random(&mut random);
        let jitter = f64::from(random[0]) / 255.0;
        // What made the job fail may be what keeps the failure from being recorded: a database that restarts.
        for pause in [1, 2, 4, 8, 0] {
            match queue::fail(self.kernel.db(), job, error, jitter).await {
                Ok(()) => return,
                Err(error) if error.kind == Kind::Unavailable && pause > 0 => {
                    tokio::time::sleep(Duration::from_secs(pause)).await;
                }
                Err(error) => {
                    tracing::warn!(job = %job.id, %error, "failure could not be recorded; the lease will end");
                    return;
                }
            }
        }
    }
}
