//! The end of what was kept long enough, once a day in each organisation that has had endpoints.

use serde::{Deserialize, Serialize};
use tenon_sdk::{
    Result, TenantTx,
    jobs::{Job, JobCtx},
    schedule::{Missed, Overlap, Schedule},
};

use super::endpoints::lock;

/// Messages that go at once, and their deliveries with them.
const PIECE: i64 = 500;
const SCHEDULE: &str = "webhooks.retire";

/// Drops old messages.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Retire {}

impl Job for Retire {
    const NAME: &'static str = "webhooks.retire";

    async fn run(self, job: JobCtx) -> Result<()> {
        // An endpoint is tried for three days.
        let days = job.kernel().config().webhooks.keep_days.max(4);
        loop {
            let tx = job.ctx().begin().await?;
            let gone = tx
                .execute(
                    "delete from webhooks.messages where org_id = $1 and id in (select o.id from webhooks.messages o \
                     where o.org_id = $1 and o.created_at < now() - make_interval(days => $2) order by o.created_at limit $3)",
                    &[&tx.org_id(), &days, &PIECE],
                )
                .await?;
            if gone < PIECE.unsigned_abs() {
                stop_if_empty(&tx).await?;
                return tx.commit().await;
            }
            tx.commit().await?;
        }
    }
}

/// Has it done once a day; organisations at different minutes.
pub(super) async fn start(tx: &TenantTx) -> Result<()> {
    let minute = tx.org_id().0.as_bytes().last().map_or(0, |byte| byte % 60);
    let daily = Schedule {
        cron: format!("{minute} 3 * * *"),
        zone: "UTC".to_owned(),
        overlap: Overlap::Skip,
        missed: Missed::Once,
    };
    tx.schedule(SCHEDULE, &Retire {}, &daily).await.map(drop)
}

async fn stop_if_empty(tx: &TenantTx) -> Result<()> {
    lock(tx).await?;
    let row = tx
        .query_one(
            "select exists (select from webhooks.endpoints where org_id = $1) \
             or exists (select from webhooks.messages where org_id = $1)",
            &[&tx.org_id()],
        )
        .await?;
    if !row.try_get::<_, bool>(0)? {
        tx.unschedule(SCHEDULE).await?;
    }
    Ok(())
}
