//! The queue of work. `README.md` says how it goes about it.

mod buffer;
mod commands;
mod figures;
mod held;
mod keeper;
mod lanes;
mod pace;
mod queue;
mod run;
mod schedules;
mod settle;
mod wake;
mod worker;

pub use commands::{cancel, redrive, retry};
pub use figures::watch;
pub use schedules::{pause, run_now};
pub use wake::Wake;
pub use worker::work;

pub(crate) use pace::pause_seconds;
pub(crate) use run::told;

use tenon_sdk::{Kernel, Module, Result, SystemTx, migrations};

/// The module's manifest.
pub fn module() -> Module {
    let steps = migrations!["../../migrations/jobs/" => "0001_queue", "0002_lanes", "0003_schedules"];
    Module::new("jobs", "Jobs").tables("jobs", steps)
}

/// Gives all running jobs back to the queue at once. Only right where no other process can be working: at the start of
/// a server on its private cluster.
pub async fn release_all(kernel: &Kernel) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "release jobs").await?;
    tx.execute("update jobs.workers set lease_until = '-infinity'", &[])
        .await?;
    tx.commit().await
}
