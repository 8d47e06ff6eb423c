//! Objects away, as far as policies let the caller. Their content follows when nobody reads it any more.

use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Result, db::RequestTx};

use crate::{
    asker::Asker,
    errors,
    model::{COLUMNS, Object},
    names,
    place::{Body, InBucket, Place},
    service::Storage,
};

/// Names in one request.
const MOST: usize = 1000;

/// Deletes what of these names the caller may delete; gives what went.
pub(crate) async fn away(tx: &RequestTx, bucket: &str, names: &[String]) -> Result<Vec<Object>> {
    let rows = tx
        .query(
            &format!(
                "delete from storage.objects where bucket_id = $1 and name collate \"C\" = any ($2) returning {COLUMNS}"
            ),
            &[&bucket, &names],
        )
        .await
        .map_err(errors::of_statement)?;
    rows.iter().map(Object::read).collect()
}

pub(super) async fn one(storage: Storage, asker: Asker, place: Place) -> Result<Json<Value>> {
    let tx = asker
        .begin(
            &storage.kernel,
            "storage.object.delete",
            Some(place.both()),
            false,
        )
        .await?;
    if away(&tx, &place.bucket, &[place.name]).await?.is_empty() {
        return Err(errors::no_such_key());
    }
    tx.commit().await?;
    Ok(Json(json!({ "message": "Successfully deleted" })))
}

#[derive(Deserialize)]
pub(super) struct Many {
    prefixes: Option<Vec<String>>,
}

pub(super) async fn many(
    storage: Storage,
    asker: Asker,
    InBucket(bucket): InBucket,
    Body(wanted): Body<Many>,
) -> Result<Json<Vec<Value>>> {
    let names = wanted
        .prefixes
        .ok_or_else(|| errors::missing_parameter("prefixes"))?;
    if !(1..=MOST).contains(&names.len()) {
        return Err(errors::invalid_parameter("prefixes").details("One name to a thousand."));
    }
    // What cannot be a name is none that is there.
    let names: Vec<String> = names
        .into_iter()
        .filter(|name| names::object(name).is_ok())
        .collect();
    let place = names.first().map(|name| (bucket.as_str(), name.as_str()));
    let tx = asker
        .begin(&storage.kernel, "storage.object.delete_many", place, false)
        .await?;
    let gone = away(&tx, &bucket, &names).await?;
    tx.commit().await?;
    Ok(Json(gone.iter().map(Object::row).collect()))
}
