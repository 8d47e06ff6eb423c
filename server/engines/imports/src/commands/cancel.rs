//! Somebody stops an import before it is confirmed; its file and its staged rows go.

use tenon_sdk::{Ctx, Result};
use uuid::Uuid;

use crate::{
    model::State,
    run::{self, Run},
    staging,
};

/// Cancels an import.
pub(crate) async fn cancel(ctx: &Ctx, id: Uuid) -> Result<Run> {
    let tx = ctx.begin().await?;
    let mut run = Run::lock(&tx, id).await?;
    if run.state == State::Cancelled {
        return Ok(run);
    }
    run.become_state(&tx, State::Cancelled).await?;
    staging::clear(&tx, id).await?;
    tx.execute(
        "delete from imports.file_chunks where org_id = $1 and run_id = $2",
        &[&tx.org_id(), &id],
    )
    .await?;
    run.audit(&tx, "imports.run.cancel").await?;
    tx.commit().await?;
    run::tell(ctx.kernel(), ctx.org_id(), id, State::Cancelled).await;
    Ok(run)
}
