//! Lets dead jobs run again, with all attempts anew.

use tenon_sdk::{Kernel, OrgId, Result, SystemTx, UserId};
use uuid::Uuid;

use super::emit;

/// Of one name or of all, the oldest ten thousand. Those whose unique key is taken by now stay where they are. Gives how many.
pub async fn redrive(kernel: &Kernel, org: Option<OrgId>, by: UserId, name: Option<&str>) -> Result<u64> {
    let tx = SystemTx::begin(kernel.db(), "redrive jobs").await?;
    let rows = tx.query(include_str!("redrive.sql"), &[&org, &name]).await?;
    for row in &rows {
        let (org, job): (OrgId, Uuid) = (row.try_get(0)?, row.try_get(1)?);
        let title: String = row.try_get(2)?;
        emit(&tx, kernel.env(), org, by, "jobs.job_retried", job, &title).await?;
    }
    tx.query("select pg_notify('tenon_jobs', 'd')", &[]).await?;
    tx.commit().await?;
    Ok(rows.len().try_into().unwrap_or(u64::MAX))
}
