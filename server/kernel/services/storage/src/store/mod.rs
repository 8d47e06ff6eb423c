//! Where the bytes of objects are kept. Knows keys and bytes; names, rights and rows belong to others.
//!
//! What is acknowledged lies on the disk or in the service; what is not is not there, whatever dies in between.

mod digest;
mod key;
mod local;
mod s3;

use std::{fmt::Debug, io, ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use tenon_sdk::{
    Error, Result,
    config::{Config, StorageBackend},
    env::Env,
};

use crate::scan::Scanned;

/// Bytes on their way in or out.
pub type Content = BoxStream<'static, io::Result<Bytes>>;

/// What was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Size in bytes.
    pub size: u64,
    /// MD5 of the whole in lower-case hexadecimal digits; of parts, as S3 makes it, with `-` and their number.
    pub etag: String,
}

/// Content that grows over several requests, as far as it is kept: whoever lets it grow has this from one addition to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growing {
    /// Size in bytes.
    pub size: u64,
    /// Size when it is whole.
    pub whole: u64,
    /// The store's name for its parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upload: Option<String>,
    /// The parts' digests in their order.
    #[serde(default)]
    parts: Vec<String>,
    /// Bytes at the end that are too few for a part.
    #[serde(default)]
    tail: u64,
}

impl Growing {
    /// Content of a size of which nothing is there yet.
    pub fn new(whole: u64) -> Self {
        Self {
            whole,
            ..Self::default()
        }
    }
}

/// A key that a store knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was written.
    pub written: jiff::Timestamp,
}

/// A place for bytes. A key is made by the server and never reused: `/`-separated parts of letters, digits, `-`, `_` and `.`,
/// 512 bytes at most, of which none begins with a point.
#[async_trait::async_trait]
pub trait Store: Send + Sync + Debug {
    /// Keeps all of the content under the key, or nothing. More than `limit` bytes are an error, and nothing is kept.
    async fn put(&self, key: &str, content: Content, limit: u64) -> Result<Kept>;

    /// The bytes, or a part of them; the range lies within the size.
    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Content>;

    /// Keeps the same bytes under a second key.
    async fn copy(&self, from: &str, to: &str) -> Result<()>;

    /// Lets go of keys; one that is not there is no error.
    async fn delete(&self, keys: &[String]) -> Result<()>;

    /// Begins content that comes in parts, and gives a name for it.
    async fn begin_parts(&self, key: &str) -> Result<String>;

    /// Keeps a part, numbered from 1; a part of the same number is replaced.
    async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: u16,
        content: Content,
        limit: u64,
    ) -> Result<Kept>;

    /// Makes the content of the parts (number and etag) in the given order; afterwards they are gone. An S3 service wants
    /// all but the last to have 5 MiB at least, and their numbers to be 1, 2, 3 and so on.
    async fn finish_parts(&self, key: &str, upload: &str, parts: &[(u16, String)]) -> Result<Kept>;

    /// Lets go of parts.
    async fn abort_parts(&self, key: &str, upload: &str) -> Result<()>;

    /// Adds content at the end of what has grown so far. All of it is kept when this returns; if it fails, what was there
    /// before still is. Only one addition to a key goes on at a time, and `limit` is a few MiB.
    async fn grow(&self, key: &str, so_far: &Growing, content: Content, limit: u64) -> Result<Growing>;

    /// Makes the content of what has grown. Doing it again is no error.
    async fn finish_growing(&self, key: &str, grown: &Growing) -> Result<Kept>;

    /// Lets go of what has grown.
    async fn abort_growing(&self, key: &str, grown: &Growing) -> Result<()>;

    /// Keys with their sizes and ages after a key, in an order of the store's own, some at a time; for sweeping.
    async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<Stored>>;

    /// Lets go of parts and growing content that nobody has added to since.
    async fn sweep(&self, since: jiff::Timestamp) -> Result<()>;
}

/// The store that the settings name, with the virus scanner before it where there is one.
pub fn open(config: &Config, env: &Env) -> Result<Arc<dyn Store>> {
    let settings = &config.storage;
    let store: Arc<dyn Store> = match settings.backend {
        StorageBackend::Local if settings.folder.as_os_str().is_empty() => Arc::new(local::Local::open(
            &config.database.data_dir.join("storage"),
            env.clone(),
        )?),
        StorageBackend::Local => Arc::new(local::Local::open(&settings.folder, env.clone())?),
        StorageBackend::S3 => Arc::new(s3::S3::open(&settings.s3)?),
    };
    if settings.scan.clamd.is_empty() {
        Ok(store)
    } else {
        Ok(Arc::new(Scanned::around(store, &settings.scan)?))
    }
}

fn too_large(limit: u64) -> Error {
    Error::too_large(
        "storage.too_large",
        "The object exceeded the maximum allowed size",
    )
    .details(format!("At most {limit} bytes are taken."))
}

fn incomplete(cause: &io::Error) -> Error {
    Error::invalid("storage.incomplete", "The content broke off before its end.")
        .details(cause.to_string())
        .hint("Send it again.")
}

fn missing() -> Error {
    Error::not_found(
        "storage.content_missing",
        "The content of the object is not there.",
    )
}

fn no_such_upload() -> Error {
    Error::not_found("storage.no_such_upload", "There is no such upload.")
        .hint("It was finished or given up; begin again.")
}

fn no_such_part() -> Error {
    Error::invalid("storage.no_such_part", "A part of the upload is not there.")
        .hint("Send each part, and name each by the ETag it was answered with.")
}
