//! The job that reads a file, matches its columns and checks every row.
//!
//! Reading runs on a thread of its own and hands over batches; while one batch is checked against the database and
//! staged, the next is being read.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tempfile::NamedTempFile;
use tenon_sdk::{
    Ctx, Error, Result, TenantTx,
    error::Kind,
    import_template::ImportTemplate,
    imports::{ImportRow, Seen},
    jobs::{Job, JobCtx},
};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    Limits, Workbook,
    detect::{self, Remembered},
    files,
    model::State,
    reader::LeftOutReason,
    remember,
    run::{self, Run, Sheet},
    staging,
    validate::{self, Batch, CheckedRow, Mapping},
};

/// Reads and checks the file of an import.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CheckFile {
    pub(crate) import: Uuid,
}

impl Job for CheckFile {
    const NAME: &'static str = "imports.check_file";
    const MAX_ATTEMPTS: i32 = 3;

    async fn run(self, job: JobCtx) -> Result<()> {
        let result = check(self.import, &job).await;
        match result {
            Err(error) if !passing(&error) || job.is_last_attempt() => {
                fail(&job.ctx(), self.import, &error).await
            }
            other => other,
        }
    }
}

/// Whether trying again may help.
pub(crate) fn passing(error: &Error) -> bool {
    matches!(error.kind, Kind::Unavailable | Kind::Internal | Kind::RateLimited)
        || error.code == "jobs.lease_lost"
}

/// Marks an import as failed, with the reason a person can act on.
pub(crate) async fn fail(ctx: &Ctx, import: Uuid, error: &Error) -> Result<()> {
    let tx = ctx.begin().await?;
    let mut run = Run::lock(&tx, import).await?;
    if !run.state.may_become(State::Failed) {
        return Ok(());
    }
    run.become_state(&tx, State::Failed).await?;
    tx.execute(
        "update imports.runs set error = $3 where org_id = $1 and id = $2",
        &[&tx.org_id(), &import, &run::error_json(error)],
    )
    .await?;
    if let Some(notification) = crate::notifications::failed(&run, &error.message) {
        tx.notify(&notification).await?;
    }
    tx.commit().await?;
    run::tell(ctx.kernel(), ctx.org_id(), import, State::Failed).await;
    Ok(())
}

async fn check(import: Uuid, job: &JobCtx) -> Result<()> {
    let ctx = job.ctx();
    let tx = ctx.begin().await?;
    let mut run = Run::lock(&tx, import).await?;
    let template = job.kernel().template(&run.template).ok_or_else(|| {
        Error::not_found("imports.template_unknown", "There is no such template.")
            .details(run.template.clone())
    })?;
    if run.state == State::Uploaded {
        run.become_state(&tx, State::Parsing).await?;
    }
    if !matches!(run.state, State::Parsing | State::Mapped) {
        return Ok(());
    }
    let remembered = remember::load(&tx, &run.template).await?;
    let file = files::fetch(&tx, import).await?;
    tx.commit().await?;
    run::tell(job.kernel(), ctx.org_id(), import, run.state).await;
    job.progress(&Run::topic(import), 0, 0, "reading").await?;

    let limits = limits(job);
    let opened = open(file, &run, template.as_ref(), remembered, limits).await?;
    let tx = ctx.begin().await?;
    let mut run = Run::lock(&tx, import).await?;
    if !matches!(run.state, State::Parsing | State::Mapped) {
        return Ok(()); // cancelled meanwhile
    }
    store_sheets(&tx, import, &opened.sheets, &opened.notices).await?;
    if let Some(problem) = &opened.problem {
        // A person has to help: the sheets are shown with what was found.
        run.become_state(&tx, State::Parsed).await?;
        tx.execute(
            "update imports.runs set error = $3 where org_id = $1 and id = $2",
            &[&tx.org_id(), &import, &run::error_json(problem)],
        )
        .await?;
        tx.commit().await?;
        run::tell(job.kernel(), ctx.org_id(), import, State::Parsed).await;
        return Ok(());
    }
    run.become_state(&tx, State::Mapped).await?;
    tx.commit().await?;
    run::tell(job.kernel(), ctx.org_id(), import, State::Mapped).await;
    check_rows(import, job, template.as_ref(), opened).await
}

fn limits(job: &JobCtx) -> Limits {
    let config = &job.kernel().config().imports;
    Limits {
        file_bytes: config.max_file_bytes as u64,
        decompressed_bytes: config.max_decompressed_bytes,
        rows: config.max_rows,
        ..Limits::default()
    }
}

/// A file that was opened and whose columns are matched, as far as they could be.
struct Opened {
    workbook: Workbook,
    // The workbook reads from it.
    _file: NamedTempFile,
    mapping: Mapping,
    sheets: Vec<Sheet>,
    notices: Vec<String>,
    problem: Option<Error>,
}

async fn open(
    file: NamedTempFile,
    run: &Run,
    template: &dyn ImportTemplate,
    remembered: Remembered,
    limits: Limits,
) -> Result<Opened> {
    let (name, chosen, spec) = (run.filename.clone(), run.mapping.clone(), template.spec());
    let work = move || {
        let mut workbook = Workbook::from_path(file.path(), &name, &limits)?;
        let mut found = detect::detect(&mut workbook, spec, &remembered)?;
        if let Some(chosen) = &chosen {
            // What a person chose stands; only the headings are looked up anew.
            for mapped in &chosen.sheets {
                let Some(index) = workbook.sheet_index(&mapped.name) else {
                    continue;
                };
                let target = mapped.target.as_deref().and_then(|key| spec.sheet(key));
                found.sheets[index] =
                    detect::detect_sheet(&mut workbook, index, target, mapped.header_row, &remembered)?;
            }
        }
        let mapping = chosen.unwrap_or_else(|| found.mapping());
        let problem = mapping.plan(&workbook, spec).err();
        let sheets = found
            .sheets
            .iter()
            .map(|sheet| {
                let own = sheet.mapping();
                let used = mapping
                    .sheets
                    .iter()
                    .find(|mapped| mapped.name == sheet.name)
                    .unwrap_or(&own);
                Sheet {
                    name: sheet.name.clone(),
                    target: used.target.clone(),
                    header_row: used.header_row,
                    headers: sheet.headings.clone(),
                    columns: used.columns.clone(),
                    ..Sheet::default()
                }
            })
            .collect();
        let left_out = workbook.left_out().iter().map(|sheet| match sheet.reason {
            LeftOutReason::Hidden => format!("The sheet {} is hidden and was left out.", sheet.name),
            LeftOutReason::NotAWorksheet => format!("{} holds no table and was left out.", sheet.name),
        });
        let notices = workbook
            .notices()
            .iter()
            .map(|notice| notice.message.clone())
            .chain(left_out)
            .collect();
        Ok::<_, Error>(Opened {
            workbook,
            _file: file,
            mapping,
            sheets,
            notices,
            problem,
        })
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

async fn store_sheets(tx: &TenantTx, import: Uuid, sheets: &[Sheet], notices: &[String]) -> Result<()> {
    let sheets = serde_json::to_value(sheets).map_err(Error::internal)?;
    tx.execute(
        "update imports.runs set sheets = $3, notices = $4, error = null where org_id = $1 and id = $2",
        &[&tx.org_id(), &import, &sheets, &json!(notices)],
    )
    .await?;
    Ok(())
}

async fn check_rows(import: Uuid, job: &JobCtx, template: &dyn ImportTemplate, opened: Opened) -> Result<()> {
    let ctx = job.ctx();
    let tx = ctx.begin().await?;
    staging::clear(&tx, import).await?;
    let target_version = template.target_version(&tx).await?;

    let Opened {
        mut workbook,
        _file,
        mapping,
        mut sheets,
        notices: _,
        problem: _,
    } = opened;
    let (sender, mut batches) = mpsc::channel::<Batch>(2);
    let (spec, env, plan) = (template.spec(), job.kernel().env().clone(), mapping.clone());
    let reading = tokio::task::spawn_blocking(move || {
        validate::validate(
            &mut workbook,
            spec,
            &plan,
            || env.new_id(),
            |batch| {
                // The receiver is gone when checking failed or the job was taken away.
                if sender.blocking_send(batch).is_ok() {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            },
        )
    });
    let mut seen = Seen::default();
    let mut done = 0_u64;
    while let Some(mut batch) = batches.recv().await {
        check_batch(&tx, template, &mut batch, &mut seen).await?;
        staging::add(&tx, import, batch.spec, &batch.rows).await?;
        if let Some(sheet) = sheets.iter_mut().find(|sheet| sheet.name == batch.sheet) {
            count(sheet, &batch.rows);
        }
        done += batch.rows.len() as u64;
        job.progress(&Run::topic(import), done, 0, "checking").await?;
    }
    let report = reading.await.map_err(Error::internal)??;
    for told in report.sheets {
        if let Some(sheet) = sheets.iter_mut().find(|sheet| sheet.name == told.sheet) {
            sheet.notices = told.notices.into_iter().map(|notice| notice.message).collect();
        }
    }

    let mut run = Run::lock(&tx, import).await?;
    if run.state != State::Mapped || run.mapping.as_ref().is_some_and(|newer| *newer != mapping) {
        return Ok(()); // cancelled, or mapped anew: another check is under way
    }
    run.become_state(&tx, State::Validated).await?;
    let (sheets, mapping) = (json!(sheets), json!(mapping));
    tx.execute(
        "update imports.runs set sheets = $3, mapping = $4, target_version = $5, \
         validation_version = validation_version + 1, error = null where org_id = $1 and id = $2",
        &[&tx.org_id(), &import, &sheets, &mapping, &target_version],
    )
    .await?;
    tx.commit().await?;
    run::tell(job.kernel(), ctx.org_id(), import, State::Validated).await;
    Ok(())
}

/// Lets the app look at the rows: at each by itself, then at all against its tables.
async fn check_batch(
    tx: &TenantTx,
    template: &dyn ImportTemplate,
    batch: &mut Batch,
    seen: &mut Seen,
) -> Result<()> {
    let mut rows: Vec<ImportRow> = batch
        .rows
        .iter_mut()
        .map(|checked| {
            let empty = ImportRow {
                id: checked.row.id,
                number: checked.row.number,
                values: Vec::new(),
                issues: Vec::new(),
            };
            std::mem::replace(&mut checked.row, empty)
        })
        .collect();
    for row in &mut rows {
        template.check_row(batch.spec, row);
    }
    template.check_batch(tx, batch.spec, &mut rows, seen).await?;
    for (checked, row) in batch.rows.iter_mut().zip(rows) {
        checked.row = row;
    }
    Ok(())
}

fn count(sheet: &mut Sheet, rows: &[CheckedRow]) {
    for CheckedRow { row, .. } in rows {
        sheet.rows += 1;
        if !row.accepted() {
            sheet.refused += 1;
            continue;
        }
        sheet.accepted += 1;
        sheet.warnings += u64::from(staging::warned(row));
    }
}
