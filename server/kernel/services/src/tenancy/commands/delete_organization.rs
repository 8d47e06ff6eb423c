//! The server deletes organisations whose time is over, each as a job: first the rows of all tenant tables in one transaction, then
//! what the kernel itself knows. A job that dies in between begins again and finds what is left.

use serde::{Deserialize, Serialize};
use tenon_sdk::{
    Ctx, Error, Kernel, OrgId, Result, SystemTx,
    db::EnqueueOptions,
    jobs::{Job, JobCtx},
};

/// Deletes the organisation it is enqueued in.
#[derive(Debug, Deserialize, Serialize)]
pub(in super::super) struct DeleteOrganization {}

impl Job for DeleteOrganization {
    const NAME: &'static str = "tenancy.delete_organization";
    // Other work of the organisation may take hours to end.
    const MAX_ATTEMPTS: i32 = 50;

    async fn run(self, job: JobCtx) -> Result<()> {
        let (kernel, ctx, own) = (job.kernel(), job.ctx(), job.id());
        let org = ctx.org_id();
        if !stop_other_work(kernel, org, own).await? {
            return Ok(());
        }
        let tx = ctx.begin().await?;
        let rows: i64 = tx
            .query_one("select tenancy.delete_rows()", &[])
            .await?
            .try_get(0)?;
        tx.commit().await?;
        let tx = SystemTx::begin(kernel.db(), "forget organisation").await?;
        tx.execute("select tenancy.forget($1, $2)", &[&org, &own]).await?;
        tx.commit().await?;
        tracing::info!(%org, rows, "an organisation was deleted");
        Ok(())
    }
}

/// Takes the organisation's other jobs off the queue. Those that run are waited for: what they write must be there before it is
/// deleted. Gives whether the organisation is still to be deleted.
async fn stop_other_work(kernel: &Kernel, org: OrgId, own: uuid::Uuid) -> Result<bool> {
    let tx = SystemTx::begin(kernel.db(), "end of organisation").await?;
    let ending = tx
        .query_opt(
            "select from tenancy.organizations where id = $1 and delete_after <= now() for update",
            &[&org],
        )
        .await?;
    if ending.is_none() {
        return Ok(false);
    }
    tx.execute(
        "delete from jobs.queue where org_id = $1 and id <> $2 and state <> 'running'",
        &[&org, &own],
    )
    .await?;
    let running: i64 = tx
        .query_one(
            "select count(*) from jobs.queue where org_id = $1 and id <> $2",
            &[&org, &own],
        )
        .await?
        .try_get(0)?;
    tx.commit().await?;
    if running > 0 {
        return Err(Error::unavailable(
            "tenancy.work_is_ending",
            "Other work of the organisation is still ending.",
        ));
    }
    Ok(true)
}

/// Enqueues the deletion of every organisation whose time is over. Some minutes are let pass, so that requests that began before
/// have ended. Gives how many were enqueued.
pub async fn enqueue_due_deletions(kernel: &Kernel) -> Result<usize> {
    let tx = SystemTx::begin(kernel.db(), "organisations to delete").await?;
    let due = tx
        .query(
            "select id from tenancy.organizations where delete_after <= now() - interval '5 minutes' order by delete_after limit 100",
            &[],
        )
        .await?;
    tx.commit().await?;
    let mut enqueued = 0;
    for row in due {
        let org: OrgId = row.try_get(0)?;
        let tx = Ctx::for_job(kernel.clone(), org, None).begin().await?;
        let options = EnqueueOptions {
            unique_key: Some(org.to_string()),
            ..EnqueueOptions::default()
        };
        enqueued += usize::from(tx.enqueue_with(&DeleteOrganization {}, options).await?.is_some());
        tx.commit().await?;
    }
    Ok(enqueued)
}
