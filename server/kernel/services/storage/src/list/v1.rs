//! A page of one folder, by number.

use axum::Json;
use serde::Deserialize;
use tenon_sdk::Result;

use super::{
    entry::{COLUMNS, Entry},
    plain,
};
use crate::{
    asker::Asker,
    errors,
    place::{Body, InBucket},
    service::Storage,
};

/// Entries of a page, unless fewer are wanted, and most of one.
const USUAL: i32 = 100;
const MOST: i32 = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    prefix: Option<String>,
    limit: Option<i64>,
    offset: Option<i64>,
    search: Option<String>,
    sort_by: Option<SortBy>,
}

#[derive(Deserialize)]
struct SortBy {
    column: Option<String>,
    order: Option<String>,
}

pub(super) async fn list(
    storage: Storage,
    asker: Asker,
    InBucket(bucket): InBucket,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Vec<Entry>>> {
    let mut prefix = wanted.prefix.ok_or_else(|| errors::missing_parameter("prefix"))?;
    let mut search = wanted.search.unwrap_or_default();
    if !plain(&prefix) || !plain(&search) {
        return Ok(Json(Vec::new()));
    }
    if !prefix.is_empty() && !prefix.ends_with('/') {
        prefix.push('/');
    }
    // What is looked for may lie in a folder below.
    if let Some((folder, rest)) = search.rsplit_once('/') {
        prefix.push_str(folder);
        prefix.push('/');
        search = rest.to_owned();
    }
    let limit = match wanted.limit {
        None => USUAL,
        Some(1..) => wanted
            .limit
            .and_then(|limit| i32::try_from(limit).ok())
            .unwrap_or(MOST),
        Some(_) => return Err(errors::invalid_parameter("limit")),
    };
    let offset = wanted.offset.unwrap_or(0);
    let offset = u32::try_from(offset)
        .ok()
        .and_then(|offset| i32::try_from(offset).ok())
        .ok_or_else(|| errors::invalid_parameter("offset"))?;
    let sort = wanted.sort_by.unwrap_or(SortBy {
        column: None,
        order: None,
    });
    let column = sort.column.unwrap_or_else(|| "name".into());
    let order = sort.order.unwrap_or_else(|| "asc".into());
    if !matches!(
        column.as_str(),
        "name" | "updated_at" | "created_at" | "last_accessed_at"
    ) {
        return Err(errors::invalid_parameter("sortBy"));
    }
    let tx = asker
        .begin(
            &storage.kernel,
            "storage.object.list",
            Some((&bucket, &prefix)),
            true,
        )
        .await?;
    let rows = tx
        .query(
            &format!("select {COLUMNS} from storage.search($1, $2, $3, 1, $4, $5, $6, $7)"),
            &[
                &prefix,
                &bucket,
                &limit.min(MOST),
                &offset,
                &search,
                &column,
                &order,
            ],
        )
        .await
        .map_err(errors::of_statement)?;
    tx.leave();
    Ok(Json(rows.iter().map(Entry::read).collect::<Result<_>>()?))
}
