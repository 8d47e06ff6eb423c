//! A file arrives; reading it is a job.

use axum::body::Body;
use serde::Deserialize;
use tenon_sdk::{Ctx, Error, Result};
use utoipa::IntoParams;

use crate::{check::CheckFile, files, run::Run};

/// What is uploaded.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct NewUpload {
    /// The template it follows.
    pub(crate) template: String,
    /// The file's name.
    pub(crate) filename: String,
}

const MOST_NAME: usize = 255;

/// Takes a file in. The same idempotency key gives the import that it made before.
pub(crate) async fn upload(
    ctx: &Ctx,
    new: NewUpload,
    key: Option<String>,
    body: Body,
) -> Result<(bool, Run)> {
    let template = ctx.kernel().template(&new.template).ok_or_else(|| {
        Error::not_found("imports.template_unknown", "There is no such template.")
            .details(new.template.clone())
    })?;
    ctx.require(template.spec().permission)?;
    let filename = plain_name(&new.filename)?;
    if key
        .as_ref()
        .is_some_and(|key| key.is_empty() || key.len() > MOST_NAME)
    {
        return Err(Error::invalid(
            "imports.idempotency_key",
            "The idempotency key must have 1 to 255 characters.",
        ));
    }
    if let Some(key) = &key {
        let tx = ctx.begin().await?;
        if let Some(run) = Run::by_key(&tx, key).await? {
            return Ok((false, run));
        }
    }
    let received = files::receive(body, ctx.kernel().config().imports.max_file_bytes).await?;
    let tx = ctx.begin().await?;
    let id = tx.env().new_id();
    let size = i64::try_from(received.size).map_err(Error::internal)?;
    let inserted = tx
        .execute(
            "insert into imports.runs (org_id, id, template, filename, size, sha256, state, idempotency_key, \
             created_at, created_by) values ($1, $2, $3, $4, $5, $6, 'uploaded', $7, $8, $9) \
             on conflict (org_id, idempotency_key) where idempotency_key is not null do nothing",
            &[
                &tx.org_id(),
                &id,
                &new.template,
                &filename,
                &size,
                &received.sha256,
                &key,
                &tx.env().now(),
                &tx.user_id(),
            ],
        )
        .await?;
    if inserted == 0 {
        // The same request, made twice at the same time.
        let run = Run::by_key(&tx, key.as_deref().unwrap_or_default()).await?;
        return run
            .map(|run| (false, run))
            .ok_or_else(|| Error::internal("an import vanished"));
    }
    received.store(&tx, id).await?;
    let job = tx.enqueue(&CheckFile { import: id }).await?;
    tx.execute(
        "update imports.runs set job_id = $3 where org_id = $1 and id = $2",
        &[&tx.org_id(), &id, &job],
    )
    .await?;
    let run = Run::find(&tx, id).await?;
    run.audit(&tx, "imports.run.upload").await?;
    tx.commit().await?;
    Ok((true, run))
}

/// The last part of a path, as some browsers send one, without what cannot be shown.
fn plain_name(name: &str) -> Result<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name
        .chars()
        .filter(|letter| !letter.is_control())
        .take(MOST_NAME)
        .collect();
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::invalid("imports.filename", "The file needs a name."));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::plain_name;

    #[test]
    fn a_file_name_is_its_last_part_without_control_characters() {
        assert_eq!(plain_name(r"C:\Users\ada\orders.xlsx").unwrap(), "orders.xlsx");
        assert_eq!(plain_name("../../etc/pass\u{0}wd").unwrap(), "passwd");
        assert!(plain_name(" / ").is_err());
        assert_eq!(plain_name(&"ü".repeat(400)).unwrap().chars().count(), 255);
    }
}
