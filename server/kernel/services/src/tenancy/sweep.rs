//! What becomes due by itself: organisations whose time is over, and invitations that nobody needs to remember any more.

use std::time::Duration;

use jiff::SignedDuration;
use tenon_sdk::{Kernel, Result, SystemTx};

use super::commands;

/// Pause between looks.
const PAUSE: Duration = Duration::from_mins(10);
/// How long invitations are remembered that were accepted or withdrawn, or ran out.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Looks now and then, until the task is dropped.
pub async fn work(kernel: Kernel) {
    loop {
        if let Err(error) = sweep(&kernel).await {
            tracing::warn!(%error, "organisations could not be looked through");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Looks once.
pub async fn sweep(kernel: &Kernel) -> Result<()> {
    commands::enqueue_due_deletions(kernel).await?;
    let tx = SystemTx::begin(kernel.db(), "old invitations").await?;
    tx.execute(
        "delete from tenancy.invitations where coalesce(accepted_at, revoked_at, expires_at) < $1",
        &[&(kernel.env().now() - REMEMBERED)],
    )
    .await?;
    // Counted by the hour.
    tx.execute(
        "delete from tenancy.invitation_mails where sent_at < $1",
        &[&(kernel.env().now() - SignedDuration::from_hours(24))],
    )
    .await?;
    tx.commit().await
}
