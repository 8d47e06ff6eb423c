//! Uploads whose time is over go, with what the store has of them.

use serde_json::Value;
use tenon_sdk::{Error, Kernel, Result, SystemTx};
use uuid::Uuid;

use crate::store::Store;

/// Uploads that go at once.
const BATCH: i64 = 100;

/// Ends uploads whose time is over; gives how many. The rows are locked meanwhile, so that several servers may sweep.
pub(crate) async fn sweep(kernel: &Kernel, store: &dyn Store) -> Result<usize> {
    let now = kernel.env().now();
    let mut gone = 0;
    loop {
        let tx = SystemTx::begin(kernel.db(), "abandoned resumable uploads").await?;
        let rows = tx
            .query(
                "select id, version, growing, state from storage.resumable_uploads where expires_at <= $1 \
                 and (held_until is null or held_until < $1) order by expires_at limit $2 for update skip locked",
                &[&now, &BATCH],
            )
            .await?;
        let mut ids: Vec<Uuid> = Vec::with_capacity(rows.len());
        for row in &rows {
            let (key, growing): (String, Value) = (row.try_get(1)?, row.try_get(2)?);
            if row.try_get::<_, &str>(3)? != "done" {
                let growing = serde_json::from_value(growing).map_err(Error::internal)?;
                store.abort_growing(&key, &growing).await?;
            }
            ids.push(row.try_get(0)?);
        }
        tx.execute(
            "delete from storage.resumable_uploads where id = any ($1)",
            &[&ids],
        )
        .await?;
        tx.commit().await?;
        gone += ids.len();
        if ids.len() < usize::try_from(BATCH).unwrap_or(0) {
            return Ok(gone);
        }
    }
}
