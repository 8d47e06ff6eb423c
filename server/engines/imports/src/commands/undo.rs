//! Somebody takes a whole import back, while nothing depends on it.

use serde_json::json;
use tenon_sdk::{Ctx, Result, events::Event};
use uuid::Uuid;

use crate::{
    model::State,
    run::{self, Run},
};

/// Undoes an import; the app says whether something depends on it.
pub(crate) async fn undo(ctx: &Ctx, id: Uuid) -> Result<Run> {
    let tx = ctx.begin().await?;
    let mut run = Run::lock(&tx, id).await?;
    let template = super::super::template_of(ctx, &run)?;
    if run.state == State::Undone {
        return Ok(run);
    }
    run.state.check(State::Undone)?;
    template.undo(&tx, id).await?;
    run.become_state(&tx, State::Undone).await?;
    tx.execute(
        "update imports.runs set undone_at = $3, commit_key = null where org_id = $1 and id = $2",
        &[&tx.org_id(), &id, &tx.env().now()],
    )
    .await?;
    run.audit(&tx, "imports.run.undo").await?;
    tx.emit(&Event::new(
        "imports.run_undone",
        id,
        json!({ "template": run.template }),
    ))
    .await?;
    let run = Run::find(&tx, id).await?;
    tx.commit().await?;
    run::tell(ctx.kernel(), ctx.org_id(), id, State::Undone).await;
    Ok(run)
}
