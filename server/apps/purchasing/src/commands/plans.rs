//! How PostgreSQL plans the statements of a transaction that moves many rows.
//!
//! A pooled connection keeps the plans of its statements. One made while a table was nearly empty reads that table from end
//! to end for each row once it has grown, and a bulk transaction is what makes tables grow, before any statistics.

use tenon_sdk::{Result, TenantTx};

use crate::queries;

/// Drops kept plans, so that the next statement is planned for the tables as they are. For inserts: their foreign keys
/// are checked by statements of PostgreSQL's own, which have to keep theirs from row to row.
pub async fn forget(tx: &TenantTx) -> Result<()> {
    tx.execute(queries::FORGET_PLANS, &[]).await.map(drop)
}

/// Plans every statement for its parameters, until [`as_usual`]. For statements that take a long list of ids.
pub async fn each_time(tx: &TenantTx) -> Result<()> {
    tx.execute(queries::PLAN_MODE, &[&"force_custom_plan"])
        .await
        .map(drop)
}

/// Ends [`each_time`].
pub async fn as_usual(tx: &TenantTx) -> Result<()> {
    tx.execute(queries::PLAN_MODE, &[&"auto"]).await.map(drop)
}
