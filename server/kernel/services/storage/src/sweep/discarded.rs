//! What rows let go of, in the transaction that changed them.

use jiff::{SignedDuration, Timestamp};
use tenon_sdk::{Kernel, Result, SystemTx};

use crate::store::Store;

/// Keys that go at once.
const BATCH: i64 = 500;

/// Deletes content that was discarded long enough ago. The store is asked while the rows are locked, so that no two servers ask for the
/// same; if this one dies, the next one asks again, and letting go twice is no error.
pub(super) async fn let_go(kernel: &Kernel, store: &dyn Store) -> Result<usize> {
    let seconds = kernel.config().storage.discard_seconds.max(0);
    let before = kernel.env().now() - SignedDuration::from_secs(seconds);
    let mut gone = 0;
    loop {
        let tx = SystemTx::begin(kernel.db(), "content to be deleted").await?;
        if !super::may_delete(&tx).await? {
            return Ok(gone);
        }
        let rows = tx
            .query(
                "select key, upload from storage.discarded where discarded_at <= $1 order by discarded_at limit $2 \
                 for update skip locked",
                &[&before, &BATCH],
            )
            .await?;
        let mut keys = Vec::new();
        let mut all = Vec::new();
        for row in &rows {
            let (key, upload): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            if upload.is_empty() {
                keys.push(key.clone());
            } else {
                store.abort_parts(&key, &upload).await?;
            }
            all.push(key);
        }
        store.delete(&keys).await?;
        tx.execute(
            "delete from storage.discarded where key = any ($1) and discarded_at <= $2",
            &[&all, &before],
        )
        .await?;
        tx.commit().await?;
        gone += rows.len();
        if rows.len() < usize::try_from(BATCH).unwrap_or(0) {
            return Ok(gone);
        }
    }
}

/// Gives up uploads in parts that nobody finished.
pub(super) async fn abandon(kernel: &Kernel, before: Timestamp) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "abandoned uploads").await?;
    tx.execute(
        "delete from storage.s3_multipart_uploads where created_at < $1",
        &[&before],
    )
    .await?;
    tx.commit().await
}
