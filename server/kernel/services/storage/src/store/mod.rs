//! Where the bytes of objects are kept. Knows keys and bytes; names, rights and rows belong to others.

use std::{fmt::Debug, io, ops::Range};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use tenon_sdk::Result;

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

/// A place for bytes. A key is made by the server and never reused: `/`-separated parts of letters, digits, `-`, `_` and `.`.
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

    /// Makes the content of the parts in the given order; afterwards they are gone.
    async fn finish_parts(&self, key: &str, upload: &str, parts: &[(u16, String)]) -> Result<Kept>;

    /// Lets go of parts.
    async fn abort_parts(&self, key: &str, upload: &str) -> Result<()>;

    /// Keys with their sizes and ages after a key, in their order, some at a time; for sweeping.
    async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<Stored>>;
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
