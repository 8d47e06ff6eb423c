//! Which buckets there are.

use axum::{Json, extract::Query};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::Result;
use tokio_postgres::Row;

use crate::{asker::Asker, errors, model::time, place::InBucket, service::Storage};

const COLUMNS: &str = "id, name, coalesce(owner_id, owner::text, ''), coalesce(public, false), type::text, file_size_limit, \
     allowed_mime_types, created_at, updated_at";

fn told(row: &Row) -> Result<Value> {
    let at = |column: usize| -> Result<Option<String>> {
        Ok(row.try_get::<_, Option<Timestamp>>(column)?.map(time))
    };
    Ok(json!({
        "id": row.try_get::<_, String>(0)?,
        "name": row.try_get::<_, String>(1)?,
        "owner": row.try_get::<_, String>(2)?,
        "public": row.try_get::<_, bool>(3)?,
        "type": row.try_get::<_, String>(4)?,
        "file_size_limit": row.try_get::<_, Option<i64>>(5)?,
        "allowed_mime_types": row.try_get::<_, Option<Vec<String>>>(6)?,
        "created_at": at(7)?,
        "updated_at": at(8)?,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    limit: Option<u32>,
    offset: Option<u32>,
    search: Option<String>,
    sort_column: Option<String>,
    sort_order: Option<String>,
}

pub(super) async fn list(
    storage: Storage,
    asker: Asker,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Value>>> {
    let column = match wanted.sort_column.as_deref() {
        None | Some("" | "name") => "name collate \"C\"",
        Some("id") => "id collate \"C\"",
        Some("created_at") => "created_at",
        Some("updated_at") => "updated_at",
        Some(_) => return Err(errors::invalid_parameter("sortColumn")),
    };
    let order = match wanted.sort_order.as_deref() {
        None | Some("" | "asc") => "asc",
        Some("desc") => "desc",
        Some(_) => return Err(errors::invalid_parameter("sortOrder")),
    };
    let search = wanted.search.unwrap_or_default().replace('\0', "\u{fffd}");
    let sql = format!(
        "select {COLUMNS} from storage.buckets where strpos(lower(name), lower($1)) > 0 or $1 = '' \
         order by {column} {order}, id limit $2 offset $3"
    );
    let limit = wanted.limit.map(i64::from);
    let offset = wanted.offset.map_or(0, i64::from);
    let tx = asker
        .begin(&storage.kernel, "storage.bucket.list", None, true)
        .await?;
    let rows = tx
        .query(&sql, &[&search, &limit, &offset])
        .await
        .map_err(errors::of_statement)?;
    tx.commit().await?;
    rows.iter().map(told).collect::<Result<_>>().map(Json)
}

pub(super) async fn one(storage: Storage, asker: Asker, InBucket(bucket): InBucket) -> Result<Json<Value>> {
    let tx = asker
        .begin(&storage.kernel, "storage.bucket.get", None, true)
        .await?;
    let rows = tx
        .query(
            &format!("select {COLUMNS} from storage.buckets where id = $1"),
            &[&bucket],
        )
        .await
        .map_err(errors::of_statement)?;
    tx.commit().await?;
    told(rows.first().ok_or_else(errors::no_such_bucket)?).map(Json)
}
