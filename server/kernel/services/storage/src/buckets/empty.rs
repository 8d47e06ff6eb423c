//! All objects of a bucket away, as far as the caller may delete them.

use axum::Json;
use serde_json::{Value, json};
use tenon_sdk::Result;

use crate::{asker::Asker, errors, place::InBucket, service::Storage};

/// Rows that go at once, so that no lock is held for long.
const BATCH: i64 = 1000;

pub(super) async fn empty(storage: Storage, asker: Asker, InBucket(bucket): InBucket) -> Result<Json<Value>> {
    let mut after = String::new();
    loop {
        let tx = asker
            .begin(&storage.kernel, "storage.bucket.empty", None, false)
            .await?;
        if after.is_empty() {
            let seen = tx
                .query("select id from storage.buckets where id = $1", &[&bucket])
                .await
                .map_err(errors::of_statement)?;
            if seen.is_empty() {
                return Err(errors::no_such_bucket());
            }
        }
        // Those that the caller may see but not delete are passed over.
        let rows = tx
            .query(
                "select name from storage.objects where bucket_id = $1 and name collate \"C\" > $2 \
                 order by name collate \"C\" limit $3",
                &[&bucket, &after, &BATCH],
            )
            .await
            .map_err(errors::of_statement)?;
        let names: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let Some(last) = names.last().cloned() else { break };
        tx.query(
            "delete from storage.objects where bucket_id = $1 and name collate \"C\" = any ($2)",
            &[&bucket, &names],
        )
        .await
        .map_err(errors::of_statement)?;
        tx.commit().await?;
        after = last;
    }
    Ok(Json(json!({ "message": "Successfully emptied" })))
}
