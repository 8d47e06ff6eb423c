//! Holding on to a job while it runs: the lease is extended, progress is stored, and a lost lease stops the work.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tenon_sdk::{Error, Result, db::Db, error::Kind, jobs::ProgressSink};
use uuid::Uuid;

use super::queue;

/// Stores progress under the fence of one claim.
pub(super) struct FencedProgress {
    pub(super) db: Db,
    pub(super) fence: i64,
}

#[async_trait::async_trait]
impl ProgressSink for FencedProgress {
    async fn store(&self, job: Uuid, progress: &Value) -> Result<()> {
        queue::progress(&self.db, job, self.fence, progress).await
    }
}

/// Runs `work` while the lease is kept; ends it when the lease is lost.
pub(super) async fn hold(
    db: &Db,
    job: (Uuid, i64),
    lease_seconds: i64,
    work: impl Future<Output = Result<()>> + Send + 'static,
) -> Result<()> {
    let mut work = tokio::spawn(work);
    let _stop = StopOnDrop(work.abort_handle());
    let every = Duration::from_secs(lease_seconds.unsigned_abs().max(3) / 3);
    loop {
        match tokio::time::timeout(every, &mut work).await {
            Ok(Ok(result)) => return result,
            Ok(Err(panic)) => return Err(Error::internal(format!("job panicked: {panic}"))),
            Err(_) => match queue::extend(db, job.0, job.1, lease_seconds).await {
                Err(error) if error.kind == Kind::Conflict => return Err(error),
                Err(error) => tracing::warn!(%error, "lease could not be extended; trying again"),
                Ok(()) => {}
            },
        }
    }
}

struct StopOnDrop(tokio::task::AbortHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl FencedProgress {
    pub(super) fn shared(db: &Db, fence: i64) -> Arc<dyn ProgressSink> {
        Arc::new(Self {
            db: db.clone(),
            fence,
        })
    }
}
