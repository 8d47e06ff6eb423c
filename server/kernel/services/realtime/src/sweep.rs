//! Messages that are too old to be asked for again are removed.

use std::time::Duration;

use jiff::SignedDuration;
use tenon_sdk::{Kernel, Result, SystemTx};

const EVERY: Duration = Duration::from_mins(10);

/// Sweeps until the task is dropped. Several processes at it do no harm.
pub async fn run(kernel: Kernel) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tick.tick().await;
        if let Err(error) = sweep(&kernel).await {
            tracing::warn!(%error, "old messages were not removed");
        }
    }
}

async fn sweep(kernel: &Kernel) -> Result<()> {
    let hours = i64::from(kernel.config().realtime.messages_hours);
    let before = kernel.env().now() - SignedDuration::from_hours(hours);
    loop {
        let tx = SystemTx::begin(kernel.db(), "messages that are too old").await?;
        let gone: i64 = tx
            .query_one("select realtime.forget_messages($1)", &[&before])
            .await?
            .try_get(0)?;
        tx.commit().await?;
        if gone == 0 {
            return Ok(());
        }
    }
}
