//! `/api/v1/imports`.

mod templates;

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenon_sdk::{
    Error, Result, SystemTx,
    http::{ErrorBody, Json, Path, Permit, Query, Tx},
    imports::{Level, SheetSpec},
    module::Routes,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

use crate::{
    check,
    commands::{self, Confirmation, NewUpload},
    model::State,
    permissions::{RunsCreate, RunsRead, RunsUndo},
    run::{Progress, Run},
    staging::{self, Only},
    template_of,
    validate::Mapping,
    workbook_out::{RefusedRow, RefusedWorkbook},
};

/// Most rows or imports of one answer.
const MOST: i64 = 100;
/// Refused rows read at once while the error workbook is written.
const WORKBOOK_PAGE: i64 = 2_000;

pub(crate) fn routes() -> Routes {
    let upload = Routes::new()
        .routes(routes!(upload))
        .layer(DefaultBodyLimit::disable());
    upload
        .merge(templates::routes())
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(rows))
        .routes(routes!(map))
        .routes(routes!(confirm))
        .routes(routes!(cancel))
        .routes(routes!(undo))
        .routes(routes!(error_workbook))
}

/// Uploads a file. The body is the file itself; a job reads and checks it.
#[utoipa::path(post, path = "/api/v1/imports", tag = "imports",
    params(NewUpload, ("idempotency-key" = Option<String>, Header, description = "The same key makes no second import")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Run), (status = 200, body = Run, description = "The import this key made before"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 413, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn upload(
    permit: Permit<RunsCreate>,
    Query(new): Query<NewUpload>,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<Run>)> {
    let key = headers
        .get("idempotency-key")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let (made, run) = commands::upload(permit.ctx(), new, key, request.into_body()).await?;
    Ok((if made { StatusCode::CREATED } else { StatusCode::OK }, Json(run)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only imports in this state.
    state: Option<State>,
    /// At most so many, up to 100.
    limit: Option<i64>,
    /// After so many.
    offset: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RunPage {
    /// How many there are in all.
    total: i64,
    /// This page, without their sheets.
    items: Vec<Run>,
}

fn window(limit: Option<i64>, offset: Option<i64>) -> (i64, i64) {
    (limit.unwrap_or(50).clamp(1, MOST), offset.unwrap_or(0).max(0))
}

/// Imports, newest first.
#[utoipa::path(get, path = "/api/v1/imports", tag = "imports", params(ListParams),
    responses((status = 200, body = RunPage), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn list(Query(params): Query<ListParams>, tx: Tx<RunsRead>) -> Result<Json<RunPage>> {
    let (limit, offset) = window(params.limit, params.offset);
    let (total, items) = Run::page(&tx, params.state, limit, offset).await?;
    Ok(Json(RunPage { total, items }))
}

/// One import.
#[utoipa::path(get, path = "/api/v1/imports/{id}", tag = "imports", params(("id" = Uuid, Path)),
    responses((status = 200, body = Run), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn show(permit: Permit<RunsRead>, Path(id): Path<Uuid>) -> Result<Json<Run>> {
    let ctx = permit.ctx();
    let tx = ctx.begin().await?;
    let mut run = Run::find(&tx, id).await?;
    tx.rollback().await?;
    let working = matches!(
        run.state,
        State::Uploaded | State::Parsing | State::Mapped | State::Confirmed | State::Committing
    );
    if let (true, Some(job)) = (working, run.job) {
        let system = SystemTx::begin(ctx.kernel().db(), "progress of an import").await?;
        let row = system
            .query_opt(
                "select state, progress, error from jobs.queue where org_id = $1 and id = $2",
                &[&ctx.org_id(), &job],
            )
            .await?;
        system.commit().await?;
        if let Some(row) = row {
            if row.try_get::<_, &str>(0)? == "dead" {
                // Its workers were lost too often to say so themselves.
                let lost = Error::internal(format!(
                    "the job of import {id} was put aside: {:?}",
                    row.try_get::<_, Option<Value>>(2)?
                ));
                check::fail(
                    &tenon_sdk::Ctx::for_job(ctx.kernel().clone(), ctx.org_id(), ctx.user_id()),
                    id,
                    &lost,
                )
                .await?;
                let tx = ctx.begin().await?;
                run = Run::find(&tx, id).await?;
            } else if let Some(progress) = row.try_get::<_, Option<Value>>(1)? {
                run.progress = serde_json::from_value::<Progress>(progress).ok();
            }
        }
    }
    Ok(Json(run))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RowParams {
    /// Name of the sheet in the file.
    sheet: String,
    /// Which rows.
    #[serde(default)]
    #[param(inline)]
    only: Only,
    /// At most so many, up to 100.
    limit: Option<i64>,
    /// After so many.
    offset: Option<i64>,
}

/// Something to say about a row or one of its cells.
#[derive(Debug, Serialize, ToSchema)]
struct RowIssue {
    /// Key of the field; null: the whole row.
    field: Option<&'static str>,
    /// `error`, `warning` or `info`.
    #[schema(value_type = String)]
    level: Level,
    code: String,
    message: String,
}

/// One row of the file.
#[derive(Debug, Serialize, ToSchema)]
struct FileRow {
    /// Row number as in the sheet.
    row: u32,
    /// Whether it will be imported.
    accepted: bool,
    /// Text as found, by field.
    cells: BTreeMap<&'static str, String>,
    issues: Vec<RowIssue>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RowPage {
    /// How many rows there are of the kind asked for.
    total: u64,
    /// Keys of the fields, in the template's order.
    fields: Vec<&'static str>,
    rows: Vec<FileRow>,
}

/// A page of the checked rows of one sheet.
#[utoipa::path(get, path = "/api/v1/imports/{id}/rows", tag = "imports", params(("id" = Uuid, Path), RowParams),
    responses((status = 200, body = RowPage), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn rows(
    permit: Permit<RunsRead>,
    Path(id): Path<Uuid>,
    Query(params): Query<RowParams>,
) -> Result<Json<RowPage>> {
    let ctx = permit.ctx();
    let tx = ctx.begin().await?;
    let mut run = Run::find(&tx, id).await?;
    let (spec, total) = {
        let template = template_of(ctx, &run)?;
        let sheet = run.sheets.iter().find(|sheet| sheet.name == params.sheet);
        let target = sheet.and_then(|sheet| template.spec().sheet(sheet.target.as_deref()?));
        let (Some(sheet), Some(spec)) = (sheet, target) else {
            return Err(
                Error::not_found("imports.sheet_not_found", "The import has no such sheet.")
                    .details(params.sheet.clone()),
            );
        };
        let total = match params.only {
            Only::All => sheet.rows,
            Only::Accepted => sheet.accepted,
            Only::Refused => sheet.refused,
            Only::Warnings => sheet.warnings,
        };
        (spec, total)
    };
    let page = staging::page(
        &tx,
        id,
        spec,
        params.only,
        None,
        window(params.limit, params.offset),
    )
    .await?;
    if run.state == State::Validated && tx.has(<RunsCreate as tenon_sdk::permission::Permission>::DEF.name) {
        run.become_state(&tx, State::Previewed).await?;
    }
    tx.commit().await?;
    let fields: Vec<&'static str> = spec.fields.iter().map(|field| field.key).collect();
    let rows = page.into_iter().map(|staged| FileRow {
        row: staged.number,
        accepted: staged.accepted,
        cells: fields.iter().copied().zip(staged.cells).collect(),
        issues: staged
            .issues
            .into_iter()
            .map(|issue| RowIssue {
                field: issue.field,
                level: issue.level,
                code: issue.code.into_owned(),
                message: issue.message,
            })
            .collect(),
    });
    Ok(Json(RowPage {
        total,
        rows: rows.collect(),
        fields,
    }))
}

/// Says which sheet and column is which; the file is checked anew and the choice remembered.
#[utoipa::path(put, path = "/api/v1/imports/{id}/mapping", tag = "imports", params(("id" = Uuid, Path)),
    request_body = Mapping,
    responses((status = 202, body = Run), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn map(
    permit: Permit<RunsCreate>,
    Path(id): Path<Uuid>,
    Json(mapping): Json<Mapping>,
) -> Result<(StatusCode, Json<Run>)> {
    Ok((
        StatusCode::ACCEPTED,
        Json(commands::map(permit.ctx(), id, mapping).await?),
    ))
}

/// Says go. A job moves the accepted rows, all or none.
#[utoipa::path(post, path = "/api/v1/imports/{id}/confirm", tag = "imports", params(("id" = Uuid, Path)),
    request_body = Confirmation,
    responses((status = 202, body = Run), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn confirm(
    permit: Permit<RunsCreate>,
    Path(id): Path<Uuid>,
    Json(seen): Json<Confirmation>,
) -> Result<(StatusCode, Json<Run>)> {
    Ok((
        StatusCode::ACCEPTED,
        Json(commands::confirm(permit.ctx(), id, &seen).await?),
    ))
}

/// Stops an import that was not confirmed.
#[utoipa::path(post, path = "/api/v1/imports/{id}/cancel", tag = "imports", params(("id" = Uuid, Path)),
    responses((status = 200, body = Run), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn cancel(permit: Permit<RunsCreate>, Path(id): Path<Uuid>) -> Result<Json<Run>> {
    commands::cancel(permit.ctx(), id).await.map(Json)
}

/// Takes a whole import back, while nothing depends on it.
#[utoipa::path(post, path = "/api/v1/imports/{id}/undo", tag = "imports", params(("id" = Uuid, Path)),
    responses((status = 200, body = Run), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn undo(permit: Permit<RunsUndo>, Path(id): Path<Uuid>) -> Result<Json<Run>> {
    commands::undo(permit.ctx(), id).await.map(Json)
}

/// The refused rows as a workbook, with the reasons, to correct and upload again.
#[utoipa::path(get, path = "/api/v1/imports/{id}/error-workbook", tag = "imports", params(("id" = Uuid, Path)),
    responses((status = 200, content_type = XLSX, body = Vec<u8>), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn error_workbook(permit: Permit<RunsRead>, Path(id): Path<Uuid>) -> Result<Response> {
    let ctx = permit.ctx();
    let tx = ctx.begin().await?;
    let run = Run::find(&tx, id).await?;
    let template = template_of(ctx, &run)?;
    let mut workbook = RefusedWorkbook::default();
    let wanted: Vec<&'static SheetSpec> = template
        .spec()
        .sheets
        .iter()
        .filter(|spec| {
            run.sheets
                .iter()
                .any(|sheet| sheet.refused > 0 && sheet.target.as_deref() == Some(spec.key))
        })
        .collect();
    for spec in wanted {
        workbook.sheet(spec)?;
        let mut after = None;
        loop {
            let page = staging::page(&tx, id, spec, Only::Refused, after, (WORKBOOK_PAGE, 0)).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.number);
            for staged in &page {
                workbook.row(&RefusedRow {
                    number: staged.number,
                    cells: &staged.cells,
                    issues: &staged.issues,
                })?;
            }
        }
    }
    tx.rollback().await?;
    let stem = run
        .filename
        .rsplit_once('.')
        .map_or(run.filename.as_str(), |(stem, _)| stem);
    Ok(download(
        &format!("{stem} - refused rows.xlsx"),
        workbook.finish()?,
    ))
}

/// The media type of XLSX.
pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

const HEX: [&str; 16] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F",
];

/// A file to save; the name may be in any language (RFC 6266).
fn download(name: &str, bytes: Vec<u8>) -> Response {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || " -_.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(["%", HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
    let disposition = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    (
        [
            (header::CONTENT_TYPE, XLSX.to_owned()),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        Body::from(bytes),
    )
        .into_response()
}
