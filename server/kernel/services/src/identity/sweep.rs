//! What has had its time goes: proofs and codes that nobody showed, places nobody came from lately, decoys, and messages that were
//! sent long ago. Any number of servers may sweep; each does its own share of nothing when another was there before.

use std::time::Duration;

use jiff::SignedDuration;
use tenon_sdk::{Kernel, Result, SystemTx};

use super::places;

/// Between two rounds.
const PAUSE: Duration = Duration::from_mins(15);
/// How long an expired proof is kept: its failures count for an hour.
const PROOFS: SignedDuration = SignedDuration::from_hours(2);
/// How long it can be seen that a message was sent, or why it was not.
const MESSAGES: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Decoys tell nothing; they are kept only as long as they are no burden.
const DECOYS: SignedDuration = SignedDuration::from_hours(1);

/// Sweeps until it is dropped.
pub(crate) async fn work(kernel: Kernel) {
    loop {
        match sweep(&kernel).await {
            Ok(0) => {}
            Ok(gone) => tracing::debug!(gone, "swept"),
            Err(error) => tracing::warn!(%error, "sweep"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// One round; gives how many rows are gone.
pub async fn sweep(kernel: &Kernel) -> Result<u64> {
    let now = kernel.env().now();
    let tx = SystemTx::begin(kernel.db(), "sweep").await?;
    let mut gone = 0;
    for (sql, before) in [
        (
            "delete from auth.one_time_tokens where expires_at < $1",
            now - PROOFS,
        ),
        ("delete from auth.flow_states where expires_at < $1", now),
        (
            "delete from auth.known_places where last_used_at < $1",
            now - places::REMEMBERED,
        ),
        (
            "delete from notifications.messages where state = 'decoy' and created_at < $1",
            now - DECOYS,
        ),
        // What is queued may still go out; what a mailbox keeps is for people to look at.
        (
            "delete from notifications.messages where state in ('sent', 'failed') and created_at < $1",
            now - MESSAGES,
        ),
    ] {
        gone += tx.execute(sql, &[&before]).await?;
    }
    tx.commit().await?;
    Ok(gone)
}
