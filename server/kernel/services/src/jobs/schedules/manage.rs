//! What people do to schedules.

use serde_json::json;
use tenon_sdk::{Error, Kernel, OrgId, Result, SystemTx, UserId, events::Event};
use uuid::Uuid;

use super::fire::{COLUMNS, Due};

fn not_found() -> Error {
    Error::not_found("jobs.schedule_not_found", "There is no such schedule.")
}

/// Stops a schedule, or lets it go on from now.
pub async fn pause(kernel: &Kernel, org: Option<OrgId>, by: UserId, id: Uuid, paused: bool) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "pause a schedule").await?;
    let row = tx
        .query_opt(
            "update jobs.schedules set error = null, next_at = case when paused_at is null then next_at end, \
             paused_at = case when $3 then coalesce(paused_at, now()) end \
             where id = $1 and ($2::uuid is null or org_id = $2) returning org_id, name",
            &[&id, &org, &paused],
        )
        .await?
        .ok_or_else(not_found)?;
    tx.query("select pg_notify('tenon_jobs', 'd')", &[]).await?;
    let kind = if paused {
        "jobs.schedule_paused"
    } else {
        "jobs.schedule_resumed"
    };
    let event = Event::new(kind, id, json!({ "name": row.try_get::<_, &str>(1)? }));
    tx.emit(kernel.env(), row.try_get(0)?, Some(by), &event).await?;
    tx.commit().await
}

/// Enqueues the schedule's job now, whatever the time; gives its id, unless the one before is not over and the schedule leaves such out.
pub async fn run_now(kernel: &Kernel, org: Option<OrgId>, by: UserId, id: Uuid) -> Result<Option<Uuid>> {
    let tx = SystemTx::begin(kernel.db(), "run a schedule now").await?;
    let sql = format!(
        "select {COLUMNS}, name from jobs.schedules where id = $1 and ($2::uuid is null or org_id = $2) for update"
    );
    let row = tx.query_opt(&sql, &[&id, &org]).await?.ok_or_else(not_found)?;
    let due = Due::of(&row)?;
    let job = due.enqueue(&tx, kernel.env(), 1).await?;
    if job.is_some() {
        tx.execute(
            "update jobs.schedules set last_at = now(), last_job = $3 where org_id = $1 and id = $2",
            &[&due.org, &due.id, &job],
        )
        .await?;
        let event = Event::new(
            "jobs.schedule_run",
            id,
            json!({ "name": row.try_get::<_, &str>(11)?, "job": job }),
        );
        tx.emit(kernel.env(), due.org, Some(by), &event).await?;
    }
    tx.commit().await?;
    Ok(job)
}
