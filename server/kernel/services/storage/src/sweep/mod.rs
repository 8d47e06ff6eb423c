//! Content that nobody names goes: what was discarded a while ago, uploads in parts that nobody finished, and what a server that died
//! left behind. Any number of servers may sweep.

mod discarded;
mod orphans;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tenon_sdk::{Kernel, Result, SystemTx};

use crate::{service::Slot, store::Store, tus};

/// Between two looks at what was discarded, and between two walks through the whole store.
const PAUSE: Duration = Duration::from_secs(30);
const LOOKS_A_WALK: u32 = 720;

/// The number of an advisory lock: no content is deleted while anybody holds it shared, as a backup does. "TENHOLD" in ASCII.
pub const HOLD: i64 = 0x54_45_4e_48_4f_4c_44;

/// Whether content may be deleted, until the transaction ends.
async fn may_delete(tx: &SystemTx) -> Result<bool> {
    let row = tx
        .query_one("select pg_try_advisory_xact_lock($1)", &[&HOLD])
        .await?;
    Ok(row.try_get(0)?)
}

/// Sweeps until it is dropped.
pub(crate) async fn work(_: Kernel, slot: Slot) {
    let mut looks = 0;
    loop {
        tokio::time::sleep(PAUSE).await;
        if let Ok(storage) = slot.get() {
            looks += 1;
            let (kernel, store) = (&storage.kernel, storage.store.as_ref());
            // The first walk comes soon, for what a server left that died, and for those that never run long.
            let swept = if looks % LOOKS_A_WALK == 1 {
                sweep(kernel, store).await
            } else {
                discarded::let_go(kernel, store).await
            };
            match swept {
                Ok(0) => {}
                Ok(gone) => tracing::debug!(gone, "content swept"),
                Err(error) => tracing::warn!(%error, "content could not be swept"),
            }
        }
    }
}

/// Nobody has touched by now what was left before this.
fn forgotten_since(kernel: &Kernel) -> Timestamp {
    let hours = kernel.config().storage.orphan_hours.max(1);
    kernel.env().now() - SignedDuration::from_hours(hours)
}

/// One round of everything; gives how many keys are gone.
pub async fn sweep(kernel: &Kernel, store: &dyn Store) -> Result<usize> {
    let before = forgotten_since(kernel);
    discarded::abandon(kernel, before).await?;
    let gone = discarded::let_go(kernel, store).await?;
    let resumable = tus::sweep(kernel, store).await?;
    // What no upload on its way needs any more.
    let hours = kernel.config().storage.resumable_hours.max(1);
    let resumable_since = kernel.env().now() - SignedDuration::from_hours(hours);
    store.sweep(before.min(resumable_since)).await?;
    let orphans = orphans::sweep(kernel, store, before).await?;
    if orphans > 0 {
        tracing::info!(orphans, "content that no object names was deleted");
    }
    Ok(gone + resumable + orphans)
}
