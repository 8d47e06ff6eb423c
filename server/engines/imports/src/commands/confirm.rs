//! Somebody who has seen the result says go; moving the rows is a job.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use tenon_sdk::{Ctx, Error, Result};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{commit::CommitImport, model::State, run::Run};

/// What was seen.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Confirmation {
    /// The check whose result was looked at.
    pub(crate) validation_version: i32,
}

/// Confirms an import.
pub(crate) async fn confirm(ctx: &Ctx, id: Uuid, seen: &Confirmation) -> Result<Run> {
    let tx = ctx.begin().await?;
    let mut run = Run::lock(&tx, id).await?;
    let template = super::super::template_of(ctx, &run)?;
    if run.state == State::Confirmed || run.state == State::Committing {
        return Ok(run); // said twice
    }
    run.state.check(State::Confirmed)?;
    let stale = || {
        Error::conflict(
            "imports.validation_stale",
            "The file or the data have changed since the result was shown.",
        )
        .hint("Look at the result anew, then confirm it.")
    };
    if seen.validation_version != run.validation_version {
        return Err(stale().details(format!("The newest check is number {}.", run.validation_version)));
    }
    if run.counts.accepted == 0 {
        return Err(
            Error::unprocessable("imports.nothing_to_import", "No row of the file was accepted.")
                .hint("Download the refused rows, correct them and upload them again."),
        );
    }
    if Some(template.target_version(&tx).await?) != run.target_version {
        return Err(stale().hint("Check the file again: save its mapping once more."));
    }
    let key = commit_key(&run)?;
    let twin = tx
        .query_opt(
            "select id from imports.runs where org_id = $1 and commit_key = $2 and id <> $3 \
             and state in ('confirmed', 'committing', 'committed')",
            &[&tx.org_id(), &key, &id],
        )
        .await?;
    if let Some(twin) = twin {
        let twin: Uuid = twin.try_get(0)?;
        return Err(Error::conflict(
            "imports.already_committed",
            "The same file has been imported already.",
        )
        .details(format!("Import {twin}"))
        .hint("Undo that import first if it was wrong."));
    }
    run.become_state(&tx, State::Confirmed).await?;
    let job = tx.enqueue(&CommitImport { import: id }).await?;
    tx.execute(
        "update imports.runs set commit_key = $3, job_id = $4, error = null where org_id = $1 and id = $2",
        &[&tx.org_id(), &id, &key, &job],
    )
    .await?;
    run.audit(&tx, "imports.run.confirm").await?;
    tx.commit().await?;
    Ok(run)
}

/// Template, file and mapping as one hash.
fn commit_key(run: &Run) -> Result<String> {
    let mapping = serde_json::to_string(&run.mapping).map_err(Error::internal)?;
    let hash = Sha256::digest(format!("{}|{}|{mapping}", run.template, run.sha256));
    Ok(tenon_sdk::hex(&hash))
}
