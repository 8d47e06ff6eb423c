//! Uploads in parts come to an end: they become objects, or are given up.

use std::collections::HashSet;

use s3s::{
    S3Request, S3Response, S3Result,
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
        CompleteMultipartUploadOutput, ETag,
    },
    s3_error,
};
use tenon_sdk::{Result, SystemTx};

use super::{
    Doors,
    answers::{etag, told},
};
use crate::objects::{self, Upload};

impl Doors {
    pub(super) async fn complete(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        let parts = input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let mut named = Vec::with_capacity(parts.len());
        for part in parts {
            let number = part.part_number.and_then(|number| u16::try_from(number).ok());
            named.push((
                number.ok_or_else(|| s3_error!(InvalidPart))?,
                hash(part.e_tag.as_ref()),
            ));
        }
        if named.is_empty() {
            return Err(s3_error!(MalformedXML));
        }
        if !named.is_sorted_by(|one, next| one.0 < next.0) {
            return Err(s3_error!(InvalidPartOrder));
        }
        let begun = self
            .begun(&asker, &input.bucket, &input.key, &input.upload_id)
            .await?;
        let known = self.known_parts(&input.upload_id).await.map_err(told)?;
        if named.iter().any(|part| !known.contains(part)) {
            return Err(s3_error!(InvalidPart));
        }
        let finish = async {
            let wish = self
                .wish_of(&asker, &input.bucket, &input.key, &begun, begun.so_far)
                .await?;
            let upload = Upload::by(&self.0, &asker, "storage.s3.upload.complete_multipart", wish).await?;
            let store = &self.0.store;
            let kept = store
                .finish_parts(&begun.version, &begun.store_upload, &named)
                .await?;
            let head = 0..kept.size.min(objects::HEAD as u64);
            let head = store.get(&begun.version, Some(head)).await?;
            let object = match objects::looks_honest(head, &begun.kind).await {
                Ok(()) => upload.finish(&begun.version, &kept).await,
                Err(error) => {
                    upload.forget(&begun.version).await;
                    Err(error)
                }
            };
            self.over(&input.upload_id).await?;
            object
        };
        let object = finish.await.map_err(told)?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            location: Some(format!("{}/{}/{}", super::PREFIX, input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(etag(object.etag())),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    /// The parts of an upload are an object now, or nothing: there is none of them to be let go of.
    async fn over(&self, id: &str) -> Result<()> {
        let tx = SystemTx::begin(self.0.kernel.db(), "upload in parts is complete").await?;
        tx.execute(
            "update storage.s3_multipart_uploads set store_upload = null where id = $1",
            &[&id],
        )
        .await?;
        tx.execute("delete from storage.s3_multipart_uploads where id = $1", &[&id])
            .await?;
        tx.commit().await
    }

    async fn known_parts(&self, id: &str) -> Result<HashSet<(u16, String)>> {
        let tx = SystemTx::begin(self.0.kernel.db(), "parts of an upload").await?;
        let rows = tx
            .query(
                "select part_number, etag from storage.s3_multipart_uploads_parts where upload_id = $1",
                &[&id],
            )
            .await?;
        tx.commit().await?;
        rows.iter()
            .map(|row| {
                let number: i32 = row.try_get(0)?;
                Ok((u16::try_from(number).unwrap_or(0), row.try_get(1)?))
            })
            .collect()
    }

    pub(super) async fn abort(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        self.begun(&asker, &input.bucket, &input.key, &input.upload_id)
            .await?;
        let abort = async {
            let tx = SystemTx::begin(self.0.kernel.db(), "upload in parts is given up").await?;
            tx.execute(
                "delete from storage.s3_multipart_uploads where id = $1",
                &[&input.upload_id],
            )
            .await?;
            tx.commit().await
        };
        abort.await.map_err(told)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

fn hash(tag: Option<&ETag>) -> String {
    tag.map_or_else(String::new, |tag| tag.value().to_owned())
}
