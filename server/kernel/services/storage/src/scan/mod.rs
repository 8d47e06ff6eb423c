//! A virus scanner before everything that is kept: a store around another, which lets nothing stay that was not found clean.
//! Rows are made of what a store has kept, so nothing becomes an object unseen.

mod clamd;

use std::{ops::Range, sync::Arc};

use tenon_sdk::{Error, Result, config::StorageScan};

use self::clamd::{Clamd, Verdict};
use crate::store::{Content, Growing, Kept, Store, Stored};

/// A store whose content has passed the scanner.
#[derive(Debug)]
pub(crate) struct Scanned {
    inner: Arc<dyn Store>,
    scanner: Clamd,
    required: bool,
}

impl Scanned {
    /// Puts the scanner that the settings name before a store.
    pub(crate) fn around(inner: Arc<dyn Store>, settings: &StorageScan) -> Result<Self> {
        Ok(Self {
            inner,
            scanner: Clamd::new(settings)?,
            required: settings.required,
        })
    }

    /// Has the scanner look at what was just kept; what it does not let pass goes.
    async fn pass(&self, key: &str, kept: Kept) -> Result<Kept> {
        let refused = match self.look(key).await {
            Ok(Verdict::Clean) => return Ok(kept),
            Ok(Verdict::Infected(name)) => {
                tracing::warn!(key, name, "a file with a virus was refused");
                Error::unprocessable("storage.infected", "The file was refused: it contains a virus.")
                    .details(name)
            }
            Err(cause) if !self.required => {
                tracing::warn!(key, %cause, "a file was kept unscanned");
                return Ok(kept);
            }
            Err(cause) => cause,
        };
        self.inner.delete(&[key.to_owned()]).await?;
        Err(refused)
    }

    async fn look(&self, key: &str) -> Result<Verdict> {
        let content = self.inner.get(key, None).await?;
        self.scanner.scan(content).await
    }
}

#[async_trait::async_trait]
impl Store for Scanned {
    async fn put(&self, key: &str, content: Content, limit: u64) -> Result<Kept> {
        let kept = self.inner.put(key, content, limit).await?;
        self.pass(key, kept).await
    }

    async fn finish_parts(&self, key: &str, upload: &str, parts: &[(u16, String)]) -> Result<Kept> {
        let kept = self.inner.finish_parts(key, upload, parts).await?;
        self.pass(key, kept).await
    }

    async fn finish_growing(&self, key: &str, grown: &Growing) -> Result<Kept> {
        let kept = self.inner.finish_growing(key, grown).await?;
        self.pass(key, kept).await
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Content> {
        self.inner.get(key, range).await
    }

    async fn copy(&self, from: &str, to: &str) -> Result<()> {
        self.inner.copy(from, to).await
    }

    async fn delete(&self, keys: &[String]) -> Result<()> {
        self.inner.delete(keys).await
    }

    async fn begin_parts(&self, key: &str) -> Result<String> {
        self.inner.begin_parts(key).await
    }

    async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: u16,
        content: Content,
        limit: u64,
    ) -> Result<Kept> {
        self.inner.put_part(key, upload, number, content, limit).await
    }

    async fn abort_parts(&self, key: &str, upload: &str) -> Result<()> {
        self.inner.abort_parts(key, upload).await
    }

    async fn grow(&self, key: &str, so_far: &Growing, content: Content, limit: u64) -> Result<Growing> {
        self.inner.grow(key, so_far, content, limit).await
    }

    async fn abort_growing(&self, key: &str, grown: &Growing) -> Result<()> {
        self.inner.abort_growing(key, grown).await
    }

    async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<Stored>> {
        self.inner.list(after, limit).await
    }

    async fn sweep(&self, since: jiff::Timestamp) -> Result<()> {
        self.inner.sweep(since).await
    }
}
