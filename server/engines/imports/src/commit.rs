//! The job that moves a confirmed import into the app's tables: all of it in one transaction, or nothing.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{
    Error, Result, TenantTx,
    events::Event,
    import_template::ImportTemplate,
    jobs::{Job, JobCtx},
};
use uuid::Uuid;

use crate::{
    check::{self, CheckFile},
    model::State,
    run::{self, Run},
};

/// Row numbers one statement covers; between two of them progress is told.
const RANGE: u32 = 25_000;

/// Moves an import into the app's tables.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CommitImport {
    pub(crate) import: Uuid,
}

impl Job for CommitImport {
    const NAME: &'static str = "imports.commit";

    async fn run(self, job: JobCtx) -> Result<()> {
        match commit(self.import, &job).await {
            Err(error) if error.code == "imports.validation_stale" => {
                check_again(&job, self.import, &error).await
            }
            Err(error) if !check::passing(&error) || job.is_last_attempt() => {
                check::fail(&job.ctx(), self.import, &error).await
            }
            other => other,
        }
    }
}

async fn commit(import: Uuid, job: &JobCtx) -> Result<()> {
    let ctx = job.ctx();
    let tx = ctx.begin().await?;
    let mut run = Run::lock(&tx, import).await?;
    // After a crash the job runs again: what had been committed is committed, what had not is begun anew.
    if !matches!(run.state, State::Confirmed | State::Committing) {
        return Ok(());
    }
    run.become_state(&tx, State::Committing).await?;
    tx.commit().await?;
    run::tell(job.kernel(), ctx.org_id(), import, State::Committing).await;

    let template = job.kernel().template(&run.template).ok_or_else(|| {
        Error::not_found("imports.template_unknown", "There is no such template.")
            .details(run.template.clone())
    })?;
    let tx = ctx.begin().await?;
    let mut run = Run::lock(&tx, import).await?;
    if run.state != State::Committing {
        return Ok(());
    }
    if Some(template.target_version(&tx).await?) != run.target_version {
        return Err(stale());
    }
    move_rows(&tx, template.as_ref(), &run, job).await?;
    job.progress(
        &Run::topic(import),
        run.counts.accepted,
        run.counts.accepted,
        "evaluating",
    )
    .await?;
    let summary = template.finish(&tx, import).await?;
    run.become_state(&tx, State::Committed).await?;
    tx.execute(
        "update imports.runs set summary = $3, committed_at = $4, error = null where org_id = $1 and id = $2",
        &[&tx.org_id(), &import, &summary, &tx.env().now()],
    )
    .await?;
    let told = json!({ "template": run.template, "rows": run.counts.accepted });
    tx.emit(&Event::new("imports.run_committed", import, told))
        .await?;
    tx.commit().await?;
    run::tell(job.kernel(), ctx.org_id(), import, State::Committed).await;
    Ok(())
}

async fn move_rows(tx: &TenantTx, template: &dyn ImportTemplate, run: &Run, job: &JobCtx) -> Result<()> {
    let mut done = 0;
    for sheet in template.spec().sheets {
        let last: Option<i32> = tx
            .query_one(
                "select max(row_no) from imports.rows where org_id = $1 and run_id = $2 and sheet = $3",
                &[&tx.org_id(), &run.id, &sheet.key],
            )
            .await?
            .try_get(0)?;
        let last = last
            .map(u32::try_from)
            .transpose()
            .map_err(Error::internal)?
            .unwrap_or(0);
        let mut first = 1;
        while first <= last {
            let until = first.saturating_add(RANGE - 1).min(last);
            done += template.commit_batch(tx, run.id, sheet, first..=until).await?;
            job.progress(&Run::topic(run.id), done, run.counts.accepted, "committing")
                .await?;
            first = until + 1;
        }
    }
    Ok(())
}

fn stale() -> Error {
    Error::conflict(
        "imports.validation_stale",
        "The data have changed since the file was checked.",
    )
    .hint("The file is being checked again; look at the result and confirm it.")
}

/// The app's data changed between check and commit: the file is checked anew and waits for a new confirmation.
async fn check_again(job: &JobCtx, import: Uuid, error: &Error) -> Result<()> {
    let ctx = job.ctx();
    let tx = ctx.begin().await?;
    let mut run = Run::lock(&tx, import).await?;
    if run.state != State::Committing {
        return Ok(());
    }
    run.become_state(&tx, State::Mapped).await?;
    let next = tx.enqueue(&CheckFile { import }).await?;
    tx.execute(
        "update imports.runs set error = $3, job_id = $4 where org_id = $1 and id = $2",
        &[&tx.org_id(), &import, &run::error_json(error), &next],
    )
    .await?;
    tx.commit().await?;
    run::tell(job.kernel(), ctx.org_id(), import, State::Mapped).await;
    Ok(())
}
