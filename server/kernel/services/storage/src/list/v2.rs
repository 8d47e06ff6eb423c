//! A page from a cursor on, with folders or without.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenon_sdk::{Result, db::RequestTx};

use super::{
    entry::{COLUMNS, Entry},
    plain,
};
use crate::{
    asker::Asker,
    errors, names,
    place::{Body, InBucket},
    service::Storage,
};

/// Entries of a page, unless fewer are wanted, and most of one.
const MOST: i32 = 1000;

#[derive(Deserialize)]
pub(super) struct Wanted {
    prefix: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
    with_delimiter: Option<bool>,
    #[serde(rename = "sortBy")]
    sort_by: Option<SortBy>,
}

#[derive(Deserialize)]
struct SortBy {
    column: Column,
    #[serde(default)]
    order: Order,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Column {
    #[default]
    Name,
    UpdatedAt,
    CreatedAt,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    #[default]
    Asc,
    Desc,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Sorting {
    #[serde(rename = "c")]
    pub(crate) column: Column,
    #[serde(rename = "o")]
    pub(crate) order: Order,
}

/// Where a page ended; it says its order, so that the next page has the same.
#[derive(Debug, Deserialize, Serialize)]
struct Cursor {
    #[serde(rename = "n")]
    name: String,
    #[serde(flatten)]
    sorting: Sorting,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
}

impl Cursor {
    fn read(text: &str) -> Result<Self> {
        BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|json| serde_json::from_slice::<Self>(&json).ok())
            .filter(|cursor| plain(&cursor.name))
            .ok_or_else(|| errors::invalid_parameter("cursor"))
    }

    fn write(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// What is wanted of a list.
#[derive(Clone, Debug)]
pub(crate) struct Page<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) delimited: bool,
    /// The name after which it begins; a folder ends with `/`.
    pub(crate) after: &'a str,
    /// The time of that name, where the order is one of times.
    pub(crate) after_at: Option<Timestamp>,
    pub(crate) sorting: Sorting,
    pub(crate) limit: i32,
}

/// An object of a page.
#[derive(Serialize)]
struct Object<'a> {
    key: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
}

#[derive(Serialize)]
struct Folder<'a> {
    key: &'a str,
    name: &'a str,
}

/// What is told of a page.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    has_next: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor_key: Option<&'a str>,
    folders: Vec<Folder<'a>>,
    objects: Vec<Object<'a>>,
}

/// Reads a page in the caller's transaction; whether there is more after it.
pub(crate) async fn page(tx: &RequestTx, page: &Page<'_>) -> Result<(Vec<Entry>, bool)> {
    let more = page.limit.saturating_add(1);
    let times = match page.sorting.column {
        Column::Name => None,
        Column::UpdatedAt => Some("updated_at"),
        Column::CreatedAt => Some("created_at"),
    };
    let rows = tx
        .query(
            &format!("select {COLUMNS} from storage.entries($1, $2, $3, $4, false, $5, $6, $7, 0, $8, '')"),
            &[
                &page.bucket,
                &page.prefix,
                &page.delimited,
                &times,
                &page.after,
                &page.after_at,
                &more,
                &(page.sorting.order == Order::Desc),
            ],
        )
        .await
        .map_err(errors::of_statement)?;
    let mut entries: Vec<Entry> = rows.iter().map(Entry::read).collect::<Result<_>>()?;
    let wanted = usize::try_from(page.limit).unwrap_or(0);
    let has_next = entries.len() > wanted;
    entries.truncate(wanted);
    Ok((entries, has_next))
}

pub(super) async fn list(
    storage: Storage,
    asker: Asker,
    InBucket(bucket): InBucket,
    Body(wanted): Body<Wanted>,
) -> Result<Response> {
    let prefix = wanted.prefix.unwrap_or_default();
    let limit = match wanted.limit {
        None => MOST,
        Some(1..) => wanted
            .limit
            .and_then(|limit| i32::try_from(limit).ok())
            .unwrap_or(MOST),
        Some(_) => return Err(errors::invalid_parameter("limit")),
    };
    let cursor = wanted
        .cursor
        .as_deref()
        .filter(|cursor| !cursor.is_empty())
        .map(Cursor::read)
        .transpose()?;
    let order = wanted.sort_by.map(|sort| Sorting {
        column: sort.column,
        order: sort.order,
    });
    let sorting = cursor
        .as_ref()
        .map(|cursor| cursor.sorting)
        .or(order)
        .unwrap_or_default();
    if !plain(&prefix) {
        return Ok(Json(Told::default()).into_response());
    }
    let tx = asker
        .begin(
            &storage.kernel,
            "storage.object.list_v2",
            Some((&bucket, &prefix)),
            true,
        )
        .await?;
    let wanted = Page {
        bucket: &bucket,
        prefix: &prefix,
        delimited: wanted.with_delimiter.unwrap_or(false),
        after: cursor.as_ref().map_or("", |cursor| &cursor.name),
        after_at: cursor.as_ref().and_then(|cursor| cursor.at),
        sorting,
        limit: limit.min(MOST),
    };
    let (entries, has_next) = page(&tx, &wanted).await?;
    tx.leave();
    let mut told = Told {
        has_next,
        ..Told::default()
    };
    if let Some(last) = entries.last().filter(|_| has_next) {
        let at = match sorting.column {
            Column::Name => None,
            Column::UpdatedAt => last.updated_at,
            Column::CreatedAt => last.created_at,
        };
        let cursor = Cursor {
            name: last.name.clone(),
            sorting,
            at,
        };
        told.next_cursor = Some(cursor.write());
        told.next_cursor_key = Some(&last.name);
    }
    for entry in &entries {
        let name = &entry.name;
        if entry.id.is_some() {
            told.objects.push(Object { key: name, entry });
        } else {
            let key = names::file(name);
            told.folders.push(Folder { key, name });
        }
    }
    Ok(Json(&told).into_response())
}
