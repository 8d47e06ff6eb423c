//! A bucket and an object, as they stand in the database.

use jiff::{Timestamp, fmt::temporal::DateTimePrinter};
use serde_json::{Value, json};
use tenon_sdk::{Result, SystemTx};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::errors;

/// Tenon's own bucket: names in it begin with an organisation.
pub(crate) const FILES: &str = "files";

/// What a bucket asks of what is put into it.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(crate) id: String,
    /// Bytes.
    pub(crate) limit: Option<u64>,
    /// `image/png`, `image/*`; none: everything.
    pub(crate) kinds: Vec<String>,
}

impl Bucket {
    /// A bucket, whoever asks.
    ///
    /// Errors: `NoSuchBucket`.
    pub(crate) async fn find(tx: &SystemTx, id: &str) -> Result<Self> {
        let row = tx
            .query_opt(
                "select id, file_size_limit, allowed_mime_types from storage.buckets where id = $1",
                &[&id],
            )
            .await?
            .ok_or_else(errors::no_such_bucket)?;
        let limit: Option<i64> = row.try_get(1)?;
        let kinds: Option<Vec<String>> = row.try_get(2)?;
        Ok(Self {
            id: row.try_get(0)?,
            limit: limit.map(i64::unsigned_abs),
            kinds: kinds.unwrap_or_default(),
        })
    }
}

/// One object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) id: Uuid,
    pub(crate) bucket: String,
    pub(crate) name: String,
    pub(crate) owner_id: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) accessed_at: Option<Timestamp>,
    pub(crate) metadata: Value,
    pub(crate) user_metadata: Option<Value>,
}

/// The columns that [`Object::read`] takes.
pub(crate) const COLUMNS: &str = "id, bucket_id, name, owner_id, version, created_at, updated_at, last_accessed_at, metadata, \
     user_metadata";

impl Object {
    /// Reads [`COLUMNS`].
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            bucket: row.try_get::<_, Option<String>>(1)?.unwrap_or_default(),
            name: row.try_get::<_, Option<String>>(2)?.unwrap_or_default(),
            owner_id: row.try_get(3)?,
            version: row.try_get(4)?,
            created_at: row.try_get(5)?,
            updated_at: row.try_get(6)?,
            accessed_at: row.try_get(7)?,
            metadata: row.try_get::<_, Option<Value>>(8)?.unwrap_or_default(),
            user_metadata: row.try_get(9)?,
        })
    }

    /// Where its content is. Without a version there is none.
    pub(crate) fn content(&self) -> Result<&str> {
        self.version.as_deref().ok_or_else(errors::no_content)
    }

    pub(crate) fn size(&self) -> u64 {
        self.metadata["size"].as_u64().unwrap_or_default()
    }

    /// With its quotation marks.
    pub(crate) fn etag(&self) -> &str {
        self.metadata["eTag"].as_str().unwrap_or_default()
    }

    pub(crate) fn kind(&self) -> &str {
        self.metadata["mimetype"]
            .as_str()
            .unwrap_or("application/octet-stream")
    }

    pub(crate) fn cache_control(&self) -> &str {
        self.metadata["cacheControl"].as_str().unwrap_or("no-cache")
    }

    /// When its content last changed.
    pub(crate) fn modified(&self) -> Timestamp {
        self.metadata["lastModified"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .or(self.updated_at)
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The row, as it is answered where objects are deleted.
    pub(crate) fn row(&self) -> Value {
        json!({
            "id": self.id,
            "bucket_id": self.bucket,
            "name": self.name,
            "owner": self.owner_id.as_deref().filter(|owner| Uuid::try_parse(owner).is_ok()).unwrap_or_default(),
            "owner_id": self.owner_id,
            "version": self.version,
            "created_at": self.created_at.map(time),
            "updated_at": self.updated_at.map(time),
            "last_accessed_at": self.accessed_at.map(time),
            "metadata": self.metadata,
            "user_metadata": self.user_metadata,
        })
    }

    /// What is known of it.
    pub(crate) fn info(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "bucket_id": self.bucket,
            "size": self.metadata["size"],
            "content_type": self.metadata["mimetype"],
            "cache_control": self.metadata["cacheControl"],
            "etag": self.metadata["eTag"],
            "metadata": self.user_metadata,
            "last_modified": self.updated_at.map(time),
            "created_at": self.created_at.map(time),
        })
    }
}

/// A time as JavaScript writes it.
pub(crate) fn time(at: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    PRINTER.timestamp_to_string(&at)
}

/// A size that people write: a number of bytes, or `20MB`.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(at);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "gb" => 1e9,
        "mb" => 1e6,
        "kb" => 1e3,
        "b" => 1.0,
        "gib" => 1_073_741_824.0,
        "mib" => 1_048_576.0,
        "kib" => 1024.0,
        _ => return None,
    };
    let plain = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number: f64 = number.parse().ok().filter(|_| plain)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // not negative, and cut off at the largest
    Some((number * factor) as u64)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, size) in [
            ("20GB", Some(20_000_000_000)),
            ("1.5mb", Some(1_500_000)),
            ("50MiB", Some(52_428_800)),
            ("3B", Some(3)),
            ("", None),
            ("20", None),
            ("MB", None),
            ("-1MB", None),
            ("1e9MB", None),
            ("nanMB", None),
            ("20 MB", None),
        ] {
            assert_eq!(bytes(text), size, "{text}");
        }
    }
}
