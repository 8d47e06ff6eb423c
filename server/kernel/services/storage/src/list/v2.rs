//! A page from a cursor on, with folders or without.

use axum::Json;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tenon_sdk::{Result, db::RequestTx};
use tokio_postgres::Row;

use super::plain;
use crate::{
    asker::Asker,
    errors,
    model::time,
    names,
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

/// One entry: `id` is none for a folder.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) id: Option<uuid::Uuid>,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) accessed_at: Option<Timestamp>,
    pub(crate) metadata: Option<Value>,
}

impl Entry {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            name: row.try_get(0)?,
            id: row.try_get(1)?,
            updated_at: row.try_get(2)?,
            created_at: row.try_get(3)?,
            accessed_at: row.try_get(4)?,
            metadata: row.try_get(5)?,
        })
    }

    fn at(&self, column: Column) -> Option<Timestamp> {
        match column {
            Column::Name => None,
            Column::UpdatedAt => self.updated_at,
            Column::CreatedAt => self.created_at,
        }
    }

    fn object(&self) -> Value {
        json!({
            "id": self.id,
            "key": self.name,
            "name": self.name,
            "updated_at": self.updated_at.map(time),
            "created_at": self.created_at.map(time),
            "last_accessed_at": self.accessed_at.map(time),
            "metadata": self.metadata,
        })
    }

    fn folder(&self) -> Value {
        json!({ "key": names::file(&self.name), "name": self.name })
    }
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
            "select name, id, updated_at, created_at, last_accessed_at, metadata \
             from storage.entries($1, $2, $3, $4, false, $5, $6, $7, 0, $8, '')",
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
) -> Result<Json<Value>> {
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
        return Ok(Json(json!({ "hasNext": false, "folders": [], "objects": [] })));
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
    tx.commit().await?;
    let (objects, folders): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| entry.id.is_some());
    let mut answer = Map::new();
    answer.insert("hasNext".into(), json!(has_next));
    if let Some(last) = entries.last().filter(|_| has_next) {
        let cursor = Cursor {
            name: last.name.clone(),
            sorting,
            at: last.at(sorting.column),
        };
        answer.insert("nextCursor".into(), json!(cursor.write()));
        answer.insert("nextCursorKey".into(), json!(last.name));
    }
    let folders: Vec<Value> = folders.into_iter().map(Entry::folder).collect();
    let objects: Vec<Value> = objects.into_iter().map(Entry::object).collect();
    answer.insert("folders".into(), folders.into());
    answer.insert("objects".into(), objects.into());
    Ok(Json(answer.into()))
}
