//! `/api/v1/audit`. Whoever looks is recorded, too.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tenon_sdk::{
    Error, Result,
    audit::Action,
    http::{ErrorBody, Json, Path, Permit, Query, Tx},
    module::Routes,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::{
    entry::{self, Entry},
    export::{self, Form},
    filter::{Filter, Place},
    permissions::{EntriesExport, EntriesRead},
};

const PAGE: i64 = 50;
const LONGEST_PAGE: i64 = 200;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(entries))
        .routes(routes!(one_entry))
        .routes(routes!(table))
        .routes(routes!(lines))
}

/// Where in the trail to read on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// The `next` of the page before.
    before: Option<String>,
    /// How many, up to 200.
    limit: Option<i64>,
}

/// Entries, the newest first.
#[derive(Debug, Serialize, ToSchema)]
struct Page {
    /// Those of this page.
    entries: Vec<Entry>,
    /// Where the next page begins; null: there is none.
    next: Option<String>,
}

/// What was done in the organisation, the newest first.
#[utoipa::path(get, path = "/api/v1/audit/entries", tag = "audit", params(Filter, Paging),
    responses((status = 200, body = Page), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn entries(
    Query(filter): Query<Filter>,
    Query(paging): Query<Paging>,
    tx: Tx<EntriesRead>,
) -> Result<Json<Page>> {
    filter.check()?;
    let before = match paging.before.as_deref() {
        None | Some("") => None,
        Some(text) => Some(Place::parse(text).ok_or_else(|| {
            Error::unprocessable("audit.cursor_invalid", "There is no such place in the trail.")
                .hint("Send the `next` of a page as it came.")
        })?),
    };
    let many = paging.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let mut entries = entry::page(&tx, &filter, before.as_ref(), many + 1).await?;
    let more = i64::try_from(entries.len()).is_ok_and(|found| found > many);
    if more {
        entries.pop();
    }
    let next = entries.last().filter(|_| more).map(|entry| entry.id.clone());
    let mut told = filter.told();
    told.insert("entries".to_owned(), entries.len().into());
    tx.audit(&Action {
        details: told.into(),
        ..Action::new("audit.entries.read")
    })
    .await?;
    tx.commit().await?;
    Ok(Json(Page { entries, next }))
}

/// One entry.
#[utoipa::path(get, path = "/api/v1/audit/entries/{id}", tag = "audit", params(("id" = String, Path)),
    responses((status = 200, body = Entry), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn one_entry(Path(id): Path<String>, tx: Tx<EntriesRead>) -> Result<Json<Entry>> {
    let entry = entry::one(&tx, &id).await?;
    tx.audit(&Action {
        table: Some("audit.entries"),
        row: Some(&entry.id),
        ..Action::new("audit.entries.read")
    })
    .await?;
    tx.commit().await?;
    Ok(Json(entry))
}

/// The trail as a table (CSV), the newest first.
#[utoipa::path(get, path = "/api/v1/audit/entries.csv", tag = "audit", params(Filter),
    responses((status = 200, content_type = "text/csv", body = String), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn table(permit: Permit<EntriesExport>, Query(filter): Query<Filter>) -> Result<Response> {
    file(&permit, filter, Form::Csv).await
}

/// The trail as lines of JSON, the newest first.
#[utoipa::path(get, path = "/api/v1/audit/entries.jsonl", tag = "audit", params(Filter),
    responses((status = 200, content_type = "application/jsonl", body = String), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn lines(permit: Permit<EntriesExport>, Query(filter): Query<Filter>) -> Result<Response> {
    file(&permit, filter, Form::JsonLines).await
}

async fn file(permit: &Permit<EntriesExport>, filter: Filter, form: Form) -> Result<Response> {
    let body = export::begin(permit.ctx().clone(), filter, form).await?;
    let (kind, name) = match form {
        Form::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"audit.csv\""),
        Form::JsonLines => ("application/jsonl", "attachment; filename=\"audit.jsonl\""),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, body).into_response())
}
