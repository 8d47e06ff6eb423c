//! Content without a row: its upload broke off between the two. It is old before it is an orphan, since an upload that still runs has
//! no row either.

use jiff::Timestamp;
use tenon_sdk::{Kernel, Result, SystemTx};

use crate::store::Store;

/// Keys looked at together.
const BATCH: usize = 1000;

/// Walks through the store.
pub(super) async fn sweep(kernel: &Kernel, store: &dyn Store, before: Timestamp) -> Result<usize> {
    let mut after: Option<String> = None;
    let mut gone = 0;
    loop {
        let page = store.list(after.as_deref(), BATCH).await?;
        let Some(last) = page.last() else {
            return Ok(gone);
        };
        after = Some(last.key.clone());
        let old: Vec<String> = page
            .into_iter()
            .filter(|stored| stored.written < before)
            .map(|stored| stored.key)
            .collect();
        if old.is_empty() {
            continue;
        }
        let tx = SystemTx::begin(kernel.db(), "orphans among content").await?;
        if !super::may_delete(&tx).await? {
            return Ok(gone);
        }
        let known = tx
            .query("select storage.known_keys($1)", &[&old])
            .await?
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<std::collections::HashSet<String>, _>>()?;
        let orphans: Vec<String> = old.into_iter().filter(|key| !known.contains(key)).collect();
        store.delete(&orphans).await?;
        tx.commit().await?;
        gone += orphans.len();
    }
}
