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

/// Plans statements for any organisation and not for this one, until [`as_usual`]. For statements that look up row by
/// row: the statistics know nothing of an organisation that is just being filled, and where all its rows are believed to
/// be one, any index that begins with the organisation looks as good as the right one.
pub async fn for_any(tx: &TenantTx) -> Result<()> {
    tx.execute(queries::PLAN_MODE, &[&"force_generic_plan"])
        .await
        .map(drop)
}

/// Ends [`each_time`] and [`for_any`].
pub async fn as_usual(tx: &TenantTx) -> Result<()> {
    tx.execute(queries::PLAN_MODE, &[&"auto"]).await.map(drop)
}
