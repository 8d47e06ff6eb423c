//! The queue of work: transactional enqueue, leases with fencing, retries with back-off, dead letters.

mod lease;
mod queue;
mod worker;

pub use worker::work;

use tenon_sdk::{Kernel, Module, Result, SystemTx, migrations};

/// The module's manifest.
pub fn module() -> Module {
    Module::new("jobs", "Jobs").tables("jobs", migrations!["../../migrations/jobs/" => "0001_queue"])
}

/// Gives all running jobs back to the queue at once. Only right where no other process can be working: at the start of
/// a server on its private cluster.
pub async fn release_all(kernel: &Kernel) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "release jobs").await?;
    tx.execute(
        "update jobs.queue set lease_until = now() where state = 'running'",
        &[],
    )
    .await?;
    tx.commit().await
}
