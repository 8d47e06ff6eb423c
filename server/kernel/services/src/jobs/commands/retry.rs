//! Lets a job run now: one that waits for its next attempt or its time, or one that was put aside, with all attempts anew.

use tenon_sdk::{Error, Kernel, OrgId, Result, SystemTx, UserId};
use uuid::Uuid;

use super::{emit, not_found};

/// Refuses jobs that run or are about to.
pub async fn retry(kernel: &Kernel, org: Option<OrgId>, by: UserId, job: Uuid) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "retry a job").await?;
    let row = tx
        .query_opt(
            "select org_id, name, state from jobs.queue where id = $1 and ($2::uuid is null or org_id = $2) for update",
            &[&job, &org],
        )
        .await?
        .ok_or_else(not_found)?;
    let (org, name, state): (OrgId, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if !["waiting", "dead"].contains(&state.as_str()) {
        return Err(
            Error::conflict("jobs.not_waiting", "The job runs already, or is about to.")
                .details(format!("It is {state}.")),
        );
    }
    tx.execute(
        "update jobs.queue set state = 'waiting', run_at = now(), started_at = null, \
         attempts = case when state = 'dead' then 0 else attempts end where id = $1",
        &[&job],
    )
    .await
    .map_err(|error| error.if_taken(key_taken))?;
    tx.query("select pg_notify('tenon_jobs', 'd')", &[]).await?;
    emit(&tx, kernel.env(), org, by, "jobs.job_retried", job, &name).await?;
    tx.commit().await
}

fn key_taken() -> Error {
    Error::conflict(
        "jobs.key_taken",
        "Another job of this name and key waits or runs.",
    )
    .hint("Cancel one of them, or let the other one end.")
}
