//! An upload of which everything came becomes an object. Whoever dies on the way, the next request about the upload does it again.

use axum::http::{HeaderMap, HeaderValue};
use futures_util::{StreamExt, stream};
use tenon_sdk::{Result, SystemTx};

use super::{
    append::Adding,
    upload::{State, Upload},
};
use crate::{objects, store::Kept};

/// Says in an answer that there is the object.
pub(super) fn mark(headers: &mut HeaderMap, upload: &Upload) {
    if upload.state == State::Done {
        headers.insert("tus-complete", HeaderValue::from_static("1"));
    }
}

impl Adding {
    /// Makes the object. If it may not be, the upload is over.
    pub(super) async fn finish(mut self) -> Result<Upload> {
        if !self.is_there().await?
            && let Err(error) = self.make().await
        {
            self.forget().await;
            return Err(error);
        }
        self.upload.state = State::Done;
        self.upload.acknowledged = self.upload.length.unwrap_or(self.upload.growing.size);
        self.upload.save(&self.storage.kernel, self.held.holder).await?;
        let rest = self
            .storage
            .store
            .abort_growing(&self.upload.key, &self.upload.growing)
            .await;
        if let Err(error) = rest {
            tracing::debug!(%error, "what an upload needed on its way stays until it is swept");
        }
        Ok(self.upload.clone())
    }

    /// Whether an earlier try got as far as the row.
    async fn is_there(&self) -> Result<bool> {
        let tx = SystemTx::begin(self.storage.kernel.db(), "object of an upload").await?;
        let found = tx
            .query_opt(
                "select from storage.objects where bucket_id = $1 and name = $2 and version = $3",
                &[&self.upload.bucket, &self.upload.name, &self.upload.key],
            )
            .await?;
        tx.commit().await?;
        Ok(found.is_some())
    }

    async fn make(&self) -> Result<()> {
        let store = &self.storage.store;
        let kept = if self.upload.growing.size == 0 {
            store.put(&self.upload.key, stream::empty().boxed(), 0).await?
        } else {
            store
                .finish_growing(&self.upload.key, &self.upload.growing)
                .await?
        };
        let checked = self.check(&kept).await;
        let permitted = match checked {
            Ok(()) => self.permitted("storage.tus.upload.part").await,
            Err(error) => Err(error),
        };
        match permitted {
            // It lets go of the content itself if the row cannot be written.
            Ok(upload) => upload.finish(&self.upload.key, &kept).await.map(drop),
            Err(error) => {
                store.delete(std::slice::from_ref(&self.upload.key)).await?;
                Err(error)
            }
        }
    }

    /// Whether it is what it says it is.
    async fn check(&self, kept: &Kept) -> Result<()> {
        let head = 0..kept.size.min(objects::HEAD as u64);
        let content = self.storage.store.get(&self.upload.key, Some(head)).await?;
        objects::looks_honest(content, &self.upload.kind).await
    }

    async fn forget(&self) {
        let gone = async {
            self.storage
                .store
                .abort_growing(&self.upload.key, &self.upload.growing)
                .await?;
            Upload::delete(&self.storage.kernel, self.upload.id).await
        };
        if let Err(error) = gone.await {
            tracing::warn!(%error, "an upload that came to nothing stays until it expires");
        }
    }
}
