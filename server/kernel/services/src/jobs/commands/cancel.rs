//! Ends a job: at once if it does not run, else as soon as it has heard of it.

use tenon_sdk::{Kernel, OrgId, Result, SystemTx, UserId};
use uuid::Uuid;

use super::{emit, not_found};

/// Gives whether the job is over already; one that runs ends within seconds.
pub async fn cancel(kernel: &Kernel, org: Option<OrgId>, by: UserId, job: Uuid) -> Result<bool> {
    let tx = SystemTx::begin(kernel.db(), "cancel a job").await?;
    let row = tx
        .query_opt(
            "update jobs.queue set cancel_at = coalesce(cancel_at, now()) \
             where id = $1 and ($2::uuid is null or org_id = $2) returning org_id, name, state, limit_key",
            &[&job, &org],
        )
        .await?
        .ok_or_else(not_found)?;
    let (org, name, state): (OrgId, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let runs = state == "running";
    if runs {
        tx.query("select pg_notify('tenon_jobs', $1)", &[&format!("c {job}")])
            .await?;
    } else {
        tx.execute(include_str!("../bury.sql"), &[&vec![job]]).await?;
        if let Some(limit) = row.try_get::<_, Option<String>>(3)? {
            tx.query("select jobs.tell_held($1, $2)", &[&org, &limit]).await?;
        }
    }
    emit(&tx, kernel.env(), org, by, "jobs.job_cancelled", job, &name).await?;
    tx.commit().await?;
    Ok(!runs)
}
