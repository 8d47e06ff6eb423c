//! The verbs of purchasing: one state change a file. They know nothing of HTTP.

pub mod acknowledge_alert;
pub mod evaluate;
pub mod plans;
pub mod set_thresholds;

use tenon_sdk::{Result, TenantTx};

use crate::queries;

/// Locks the organisation's figures for the rest of the transaction and marks them as changed, so that two changes of
/// the same orders never work from each other's old sums.
pub async fn bump_revision(tx: &TenantTx) -> Result<()> {
    tx.execute(queries::BUMP_REVISION, &[&tx.org_id()])
        .await
        .map(drop)
}
