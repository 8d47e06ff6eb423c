//! What keeps the trail in order beside requests: seals over what was written, partitions for what will be, and the end of what was
//! kept long enough. Any number of servers may do it; the database lets in one at a time.

use std::time::Duration;

use tenon_sdk::{Kernel, Result, SystemTx};

/// Between two seals; how long somebody on the database itself could change an entry unseen, at most, beside long transactions.
const PAUSE: Duration = Duration::from_secs(5);
/// Seals between two looks at partitions: an hour.
const SEALS_A_LOOK: u32 = 720;
/// Months that partitions are made ahead of their time.
const AHEAD: i32 = 3;

/// Works until it is dropped.
pub(crate) async fn work(kernel: Kernel) {
    for round in 1_u32.. {
        tokio::time::sleep(PAUSE).await;
        if let Err(error) = seal(&kernel).await {
            tracing::warn!(%error, "the trail could not be sealed");
        }
        // The first look comes soon, for servers that never run long.
        if round % SEALS_A_LOOK == 1 {
            if let Err(error) = make_ahead(&kernel).await {
                tracing::warn!(%error, "partitions of the trail could not be made");
            }
            if let Err(error) = attach(&kernel).await {
                tracing::warn!(%error, "triggers of altered tables could not be made anew");
            }
            match retire(&kernel).await {
                Ok(0) => {}
                Ok(gone) => tracing::info!(gone, "months of the trail were kept long enough and are gone"),
                Err(error) => tracing::warn!(%error, "old months of the trail could not be dropped"),
            }
        }
    }
}

/// What a start sees to. Somebody who holds a table for long, or another server that starts, is no reason not to: entries have a
/// place meanwhile, and [`work`] tries again.
pub(crate) async fn begin(kernel: &Kernel) {
    if let Err(error) = make_ahead(kernel).await {
        tracing::warn!(%error, "partitions of the trail could not be made yet");
    }
    if let Err(error) = attach(kernel).await {
        tracing::warn!(%error, "triggers of altered tables could not be made anew yet");
    }
}

/// Seals what is complete; gives how many entries.
pub async fn seal(kernel: &Kernel) -> Result<i64> {
    let tx = SystemTx::begin(kernel.db(), "audit seals").await?;
    let sealed = tx.query_one("select audit.seal()", &[]).await?.try_get(0)?;
    tx.commit().await?;
    Ok(sealed)
}

/// Makes the partitions of this month and the next; gives how many.
pub async fn make_ahead(kernel: &Kernel) -> Result<i32> {
    let tx = SystemTx::begin(kernel.db(), "audit partitions").await?;
    let sql = "select audit.make_ahead($1, $2)";
    let row = tx.query_one(sql, &[&kernel.env().now(), &AHEAD]).await?;
    tx.commit().await?;
    Ok(row.try_get(0)?)
}

/// Makes the triggers of tables anew that have become others since; gives how many.
async fn attach(kernel: &Kernel) -> Result<i32> {
    let tx = SystemTx::begin(kernel.db(), "audit triggers").await?;
    let row = tx.query_one("select audit.attach_all()", &[]).await?;
    tx.commit().await?;
    Ok(row.try_get(0)?)
}

/// Drops partitions that were kept long enough; gives how many.
pub async fn retire(kernel: &Kernel) -> Result<i32> {
    let tx = SystemTx::begin(kernel.db(), "audit retention").await?;
    let row = tx
        .query_one("select audit.retire($1)", &[&kernel.env().now()])
        .await?;
    tx.commit().await?;
    Ok(row.try_get(0)?)
}
