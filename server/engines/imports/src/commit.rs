//! The job that moves a confirmed import into the app's tables: all of it in one transaction, or nothing.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{
    Error, Result, TenantTx,
    events::Event,
    import_template::{AcceptedBatch, AcceptedRows, ImportTemplate},
    imports::SheetSpec,
    jobs::{Job, JobCtx},
};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{
    check::{self, CheckFile},
    model::State,
    notifications,
    run::{self, Run},
    staging,
};

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
    let mut rows = Accepted::of(&tx, job, &run, template.as_ref()).await?;
    let summary = template.commit(&tx, import, &mut rows).await?;
    if rows.done != run.counts.accepted {
        return Err(Error::internal("an import was committed in part"));
    }
    run.become_state(&tx, State::Committed).await?;
    tx.execute(
        "update imports.runs set summary = $3, committed_at = $4, error = null where org_id = $1 and id = $2",
        &[&tx.org_id(), &import, &summary, &tx.env().now()],
    )
    .await?;
    run.audit(&tx, "imports.run.commit").await?;
    let told = json!({ "template": run.template, "rows": run.counts.accepted });
    tx.emit(&Event::new("imports.run_committed", import, told))
        .await?;
    if let Some(notification) = notifications::committed(&run) {
        tx.notify(&notification).await?;
    }
    tx.commit().await?;
    run::tell(job.kernel(), ctx.org_id(), import, State::Committed).await;
    Ok(())
}

/// The staged rows of an import. While the app moves a batch, the next is being unpacked.
struct Accepted<'tx> {
    tx: &'tx TenantTx,
    job: &'tx JobCtx,
    run: Uuid,
    /// Sheets still to come, and the last row of the first of them that was read.
    sheets: &'static [SheetSpec],
    read: u32,
    next: Option<JoinHandle<Result<AcceptedBatch>>>,
    done: u64,
    total: u64,
}

impl<'tx> Accepted<'tx> {
    async fn of(
        tx: &'tx TenantTx,
        job: &'tx JobCtx,
        run: &Run,
        template: &dyn ImportTemplate,
    ) -> Result<Self> {
        let mut accepted = Self {
            tx,
            job,
            run: run.id,
            sheets: template.spec().sheets,
            read: 0,
            next: None,
            done: 0,
            total: run.counts.accepted,
        };
        accepted.prepare().await?;
        Ok(accepted)
    }

    /// Reads what comes next and has it unpacked on a thread of its own.
    async fn prepare(&mut self) -> Result<()> {
        while let Some((sheet, later)) = self.sheets.split_first() {
            if let Some((last, blocks)) = staging::accepted(self.tx, self.run, sheet, self.read).await? {
                self.read = last;
                self.next = Some(tokio::task::spawn_blocking(move || {
                    staging::rows(sheet, &blocks).map(|rows| AcceptedBatch { sheet, rows })
                }));
                return Ok(());
            }
            (self.sheets, self.read) = (later, 0);
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl AcceptedRows for Accepted<'_> {
    async fn next(&mut self) -> Result<Option<AcceptedBatch>> {
        let topic = Run::topic(self.run);
        let Some(unpacking) = self.next.take() else {
            self.job
                .progress(&topic, self.total, self.total, "evaluating")
                .await?;
            return Ok(None);
        };
        let job = self.job;
        let told = job.progress(&topic, self.done, self.total, "committing");
        let (told, prepared) = tokio::join!(told, self.prepare());
        told?;
        prepared?;
        let batch = unpacking.await.map_err(Error::internal)??;
        self.done += batch.rows.len() as u64;
        Ok(Some(batch))
    }
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
