//! Objects elsewhere: moved, which only changes a row, since content is known by its version; or copied.

use axum::{Json, http::HeaderMap};
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Result, SystemTx};
use uuid::Uuid;

use super::{
    Upload, Wish, as_caller, kinds,
    quota::{stands, within_quota},
    upload_routes::{told_in_header, wants_upsert},
};
use crate::{
    asker::Asker,
    errors,
    model::{Bucket, Object},
    names,
    place::Body,
    service::Storage,
    store::Kept,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Journey {
    bucket_id: String,
    source_key: String,
    destination_bucket: Option<String>,
    destination_key: String,
    copy_metadata: Option<bool>,
    metadata: Option<Told>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    cache_control: Option<String>,
    mimetype: Option<String>,
}

impl Journey {
    fn target(&self) -> Result<(&str, &str)> {
        names::bucket(&self.bucket_id)?;
        names::object(&self.source_key)?;
        let bucket = self
            .destination_bucket
            .as_deref()
            .filter(|bucket| !bucket.is_empty())
            .unwrap_or(&self.bucket_id);
        Ok((names::bucket(bucket)?, names::object(&self.destination_key)?))
    }
}

pub(super) async fn go(storage: Storage, asker: Asker, Body(journey): Body<Journey>) -> Result<Json<Value>> {
    let (bucket, name) = journey.target()?;
    let owner = asker.owner();
    let owner_id = asker.identity.user.map(|user| user.0);
    let tx = asker
        .begin(
            &storage.kernel,
            "storage.object.move",
            Some((&journey.bucket_id, &journey.source_key)),
            false,
        )
        .await?;
    let object = as_caller(&tx, &journey.bucket_id, &journey.source_key).await?;
    let moved = tx
        .query(
            "update storage.objects set bucket_id = $3, name = $4, owner = $5, owner_id = $6 \
             where bucket_id = $1 and name collate \"C\" = $2 returning id",
            &[
                &journey.bucket_id,
                &journey.source_key,
                &bucket,
                &name,
                &owner_id,
                &owner,
            ],
        )
        .await
        .map_err(errors::of_statement)?;
    if moved.is_empty() {
        return Err(errors::no_such_key());
    }
    tx.roll_back().await?;
    relocate(&storage, &object, bucket, name, owner.as_deref()).await?;
    Ok(Json(json!({
        "message": "Successfully moved",
        "Id": object.id,
        "Key": format!("{bucket}/{name}"),
    })))
}

/// Moves the row of what the caller was seen to be allowed to move.
async fn relocate(
    storage: &Storage,
    object: &Object,
    bucket: &str,
    name: &str,
    owner: Option<&str>,
) -> Result<()> {
    let tx = SystemTx::begin(storage.kernel.db(), "move object").await?;
    let target = Bucket::find(&tx, bucket).await?;
    if target.id != object.bucket {
        kinds::allowed(&target.kinds, object.kind())?;
        if target.limit.is_some_and(|limit| object.size() > limit) {
            return Err(errors::too_large());
        }
    }
    let owner_id = owner.and_then(|owner| Uuid::try_parse(owner).ok());
    // If somebody was faster, another object is there now, or none.
    let row = tx
        .query_opt(
            "update storage.objects set bucket_id = $3, name = $4, owner = $5, owner_id = $6 \
             where id = $1 and version is not distinct from $2 and bucket_id = $7 and name collate \"C\" = $8 returning org_id",
            &[
                &object.id,
                &object.version,
                &bucket,
                &name,
                &owner_id,
                &owner,
                &object.bucket,
                &object.name,
            ],
        )
        .await
        .map_err(errors::of_statement)?
        .ok_or_else(errors::no_such_key)?;
    if let Some(org) = row.try_get(0)? {
        stands(&tx, org).await?;
        within_quota(storage, &tx, org).await?;
    }
    tx.commit().await
}

pub(super) async fn copy(
    storage: Storage,
    asker: Asker,
    headers: HeaderMap,
    Body(journey): Body<Journey>,
) -> Result<Json<Value>> {
    let (bucket, name) = journey.target()?;
    let tx = asker
        .begin(
            &storage.kernel,
            "storage.object.copy",
            Some((&journey.bucket_id, &journey.source_key)),
            true,
        )
        .await?;
    let source = as_caller(&tx, &journey.bucket_id, &journey.source_key).await?;
    tx.commit().await?;
    let tx = SystemTx::begin(storage.kernel.db(), "bucket of a copy").await?;
    let bucket = Bucket::find(&tx, bucket).await?;
    tx.commit().await?;
    let same = journey.copy_metadata.unwrap_or(true);
    let told = journey.metadata.as_ref().filter(|_| !same);
    let wish = Wish {
        bucket,
        name: name.to_owned(),
        owner: asker.owner(),
        upsert: wants_upsert(&headers),
        kind: told
            .and_then(|told| told.mimetype.clone())
            .unwrap_or_else(|| source.kind().to_owned()),
        cache_control: told
            .and_then(|told| told.cache_control.clone())
            .unwrap_or_else(|| source.cache_control().to_owned()),
        user_metadata: if same {
            source.user_metadata.clone()
        } else {
            told_in_header(&headers)
        },
        length: Some(source.size()),
    };
    let made = duplicate(&storage, &asker, "storage.object.copy", &source, wish).await?;
    Ok(Json(json!({
        "Id": made.id,
        "Key": format!("{}/{}", made.bucket, made.name),
        "name": made.name,
        "bucket_id": made.bucket,
        "metadata": made.metadata,
        "version": made.version,
        "created_at": made.created_at.map(crate::model::time),
        "updated_at": made.updated_at.map(crate::model::time),
    })))
}

/// Copies an object that the caller may read to where they may write.
pub(crate) async fn duplicate(
    storage: &Storage,
    asker: &Asker,
    operation: &str,
    source: &Object,
    wish: Wish,
) -> Result<Object> {
    let from = source.content()?.to_owned();
    let upload = Upload::by(storage, asker, operation, wish).await?;
    let key = storage.kernel.env().new_id().to_string();
    storage.store.copy(&from, &key).await?;
    let kept = Kept {
        size: source.size(),
        etag: source.etag().trim_matches('"').to_owned(),
    };
    upload.finish(&key, &kept).await
}
