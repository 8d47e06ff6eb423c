//! Making, changing and deleting buckets.

use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Result, SystemTx};

use crate::{
    asker::Asker,
    errors,
    model::bytes,
    names,
    place::{Body, InBucket},
    service::Storage,
};

/// Kinds that one bucket names.
const MOST_KINDS: usize = 200;

/// What a request says of a bucket. What it does not name stays; null takes a limit away.
#[derive(Deserialize)]
pub(super) struct Wanted {
    id: Option<String>,
    name: Option<String>,
    public: Option<bool>,
    #[serde(default, deserialize_with = "named")]
    file_size_limit: Option<Value>,
    #[serde(default, deserialize_with = "named")]
    allowed_mime_types: Option<Value>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

fn named<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

/// A bucket to be made.
#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) public: bool,
    pub(crate) limit: Option<i64>,
    pub(crate) kinds: Option<Vec<String>>,
}

fn size_limit(storage: &Storage, value: &Value) -> Result<Option<i64>> {
    let size = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_u64(),
        Value::String(text) => bytes(text).or_else(|| text.parse().ok()),
        _ => None,
    };
    let size = size.ok_or_else(|| {
        errors::invalid_request("Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B")
    })?;
    if size > storage.kernel.config().storage.max_file_bytes {
        return Err(
            errors::too_large().hint("storage.max_file_bytes is the largest that a bucket may allow.")
        );
    }
    i64::try_from(size).map(Some).map_err(|_| errors::too_large())
}

fn kinds(value: &Value) -> Result<Option<Vec<String>>> {
    if value.is_null() {
        return Ok(None);
    }
    let wrong = || errors::invalid_request("allowed_mime_types is a list of kinds");
    let list: Vec<String> = serde_json::from_value(value.clone()).map_err(|_| wrong())?;
    let list: Vec<String> = list.into_iter().filter(|kind| !kind.is_empty()).collect();
    let token = |part: &str| {
        part == "*"
            || part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
                && !part.is_empty()
    };
    for kind in &list {
        let plain = kind.split(';').next().unwrap_or_default().trim();
        if !plain
            .split_once('/')
            .is_some_and(|(kind, sub)| token(kind) && token(sub))
        {
            return Err(errors::invalid_mime_type(kind));
        }
    }
    if list.len() > MOST_KINDS {
        return Err(wrong());
    }
    Ok(Some(list))
}

pub(super) async fn create_route(
    storage: Storage,
    asker: Asker,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Value>> {
    let name = wanted.name.or(wanted.id.clone());
    let name = name.ok_or_else(|| errors::missing_parameter("name"))?;
    if wanted.kind.is_some_and(|kind| kind != "STANDARD") {
        return Err(errors::invalid_parameter("type").details("There are standard buckets only."));
    }
    let new = New {
        id: wanted
            .id
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| name.clone()),
        name: name.clone(),
        public: wanted.public.unwrap_or(false),
        limit: size_limit(&storage, &wanted.file_size_limit.unwrap_or_default())?,
        kinds: kinds(&wanted.allowed_mime_types.unwrap_or_default())?,
    };
    create(&storage, &asker, "storage.bucket.create", &new).await?;
    Ok(Json(json!({ "name": name })))
}

/// Makes a bucket.
///
/// Errors: `BucketAlreadyExists`, `InvalidBucketName`.
pub(crate) async fn create(storage: &Storage, asker: &Asker, operation: &str, new: &New) -> Result<()> {
    names::bucket(&new.id)?;
    names::bucket(&new.name)?;
    let owner = asker.identity.user.map(|user| user.0);
    let tx = asker.begin(&storage.kernel, operation, None, false).await?;
    tx.query(
        "insert into storage.buckets (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types) \
         values ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &new.id,
            &new.name,
            &owner,
            &asker.owner(),
            &new.public,
            &new.limit,
            &new.kinds,
        ],
    )
    .await
    .map_err(|error| {
        if error.code == "23505" {
            errors::bucket_exists()
        } else {
            errors::of_statement(error)
        }
    })?;
    tx.commit().await
}

pub(super) async fn update_route(
    storage: Storage,
    asker: Asker,
    InBucket(bucket): InBucket,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Value>> {
    let limit = wanted
        .file_size_limit
        .as_ref()
        .map(|limit| size_limit(&storage, limit))
        .transpose()?;
    let kinds = wanted.allowed_mime_types.as_ref().map(kinds).transpose()?;
    let tx = asker
        .begin(&storage.kernel, "storage.bucket.update", None, false)
        .await?;
    let rows = tx
        .query(
            "update storage.buckets set public = coalesce($2, public), \
                file_size_limit = case when $3 then $4 else file_size_limit end, \
                allowed_mime_types = case when $5 then $6 else allowed_mime_types end, updated_at = now() \
             where id = $1 returning id",
            &[
                &bucket,
                &wanted.public,
                &limit.is_some(),
                &limit.flatten(),
                &kinds.is_some(),
                &kinds.flatten(),
            ],
        )
        .await
        .map_err(errors::of_statement)?;
    if rows.is_empty() {
        return Err(errors::no_such_bucket());
    }
    tx.commit().await?;
    Ok(Json(json!({ "message": "Successfully updated" })))
}

pub(super) async fn delete_route(
    storage: Storage,
    asker: Asker,
    InBucket(bucket): InBucket,
) -> Result<Json<Value>> {
    delete(&storage, &asker, "storage.bucket.delete", &bucket).await?;
    Ok(Json(json!({ "message": "Successfully deleted" })))
}

/// Deletes a bucket that is empty.
///
/// Errors: `NoSuchBucket`, `BucketNotEmpty`.
pub(crate) async fn delete(storage: &Storage, asker: &Asker, operation: &str, bucket: &str) -> Result<()> {
    let tx = asker.begin(&storage.kernel, operation, None, false).await?;
    let seen = tx
        .query("select id from storage.buckets where id = $1", &[&bucket])
        .await
        .map_err(errors::of_statement)?;
    if seen.is_empty() {
        return Err(errors::no_such_bucket());
    }
    tx.roll_back().await?;
    let system = SystemTx::begin(storage.kernel.db(), "empty bucket").await?;
    let full = system
        .query_opt(
            "select from storage.objects where bucket_id = $1 limit 1",
            &[&bucket],
        )
        .await?
        .is_some();
    system.rollback().await?;
    if full {
        return Err(errors::bucket_not_empty());
    }
    let tx = asker.begin(&storage.kernel, operation, None, false).await?;
    let gone = tx
        .query(
            "delete from storage.buckets where id = $1 returning id",
            &[&bucket],
        )
        .await
        .map_err(|error| {
            if error.code == "23503" {
                errors::bucket_not_empty()
            } else {
                errors::of_statement(error)
            }
        })?;
    if gone.is_empty() {
        return Err(errors::no_such_bucket());
    }
    tx.commit().await
}
