//! Content that grows: parts of the service's own, and an object beside for what is too short for one. An addition is all in
//! memory while it is sent.

use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload, multipart::MultipartStore,
};
use tenon_sdk::{Error, Result};

use super::{
    Content, Growing, Kept, S3, digest, no_such_upload, of_service, of_upload,
    upload::{self, Gathered},
};

/// S3 takes no smaller part but the last.
const SMALLEST_PART: u64 = 5 << 20;

impl S3 {
    pub(super) async fn grow_parts(
        &self,
        key: &str,
        so_far: &Growing,
        mut content: Content,
        limit: u64,
    ) -> Result<Growing> {
        let added = Gathered::from(&mut content, usize::MAX, limit).await?;
        if added.size == 0 {
            return Ok(so_far.clone());
        }
        let mut bytes = self.tail(key, so_far).await?;
        bytes.extend_from_slice(&added.bytes);
        drop(added.bytes);
        let mut grown = so_far.clone();
        grown.size += added.size;
        // Never more parts than an object may have: longer content has longer ones.
        if (bytes.len() as u64) < SMALLEST_PART.max(so_far.whole.div_ceil(upload::MOST_PARTS)) {
            grown.tail = bytes.len() as u64;
            // It begins with the bytes it replaces: whoever still knows those finds them.
            let tail = self.below("growing", key)?;
            let payload = PutPayload::from(bytes);
            self.service.put(&tail, payload).await.map_err(of_service)?;
            return Ok(grown);
        }
        let place = self.place(key)?;
        let upload = match &so_far.upload {
            Some(upload) => upload.clone(),
            None => self.begin(&place).await?,
        };
        let kept = self
            .service
            .put_part(&place, &upload, grown.parts.len(), bytes.into())
            .await
            .map_err(of_upload)?;
        grown.parts.push(upload::plain(&kept.content_id));
        grown.upload = Some(upload);
        grown.tail = 0;
        Ok(grown)
    }

    async fn begin(&self, place: &object_store::path::Path) -> Result<String> {
        self.service.create_multipart(place).await.map_err(of_service)
    }

    pub(super) async fn finish_grown(&self, key: &str, grown: &Growing) -> Result<Kept> {
        let place = self.place(key)?;
        let tail = self.tail(key, grown).await?;
        let Some(upload) = &grown.upload else {
            let kept = Kept {
                size: grown.size,
                etag: digest::of(&tail),
            };
            self.service
                .put(&place, PutPayload::from(tail))
                .await
                .map_err(of_service)?;
            return Ok(kept);
        };
        let mut parts = grown.parts.clone();
        let finished = async {
            if !tail.is_empty() {
                let kept = self
                    .service
                    .put_part(&place, upload, parts.len(), tail.into())
                    .await
                    .map_err(of_upload)?;
                parts.push(upload::plain(&kept.content_id));
            }
            upload::finish(&self.service, &place, upload, parts.clone()).await
        }
        .await;
        match finished {
            // The service no longer knows the upload of which it has made the object.
            Err(refused) if self.size(&place).await.ok() == Some(grown.size) => {
                tracing::debug!(%refused, "content was whole before");
                Ok(Kept {
                    size: grown.size,
                    etag: digest::of_parts(parts.iter().map(String::as_str)),
                })
            }
            other => other,
        }
    }

    /// Lets go of the end; after the content is whole it is of no use.
    pub(super) async fn forget_tail(&self, key: &str) -> Result<()> {
        match self.service.delete(&self.below("growing", key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(cause) => Err(of_service(cause)),
        }
    }

    async fn tail(&self, key: &str, grown: &Growing) -> Result<Vec<u8>> {
        if grown.tail == 0 {
            return Ok(Vec::new());
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(0..grown.tail)),
            ..GetOptions::default()
        };
        let tail = self.below("growing", key)?;
        let found = self.service.get_opts(&tail, options).await.map_err(of_tail)?;
        Ok(found.bytes().await.map_err(of_service)?.into())
    }
}

fn of_tail(cause: object_store::Error) -> Error {
    match cause {
        object_store::Error::NotFound { .. } => no_such_upload(),
        other => of_service(other),
    }
}
