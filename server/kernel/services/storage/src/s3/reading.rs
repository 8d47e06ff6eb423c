//! Objects read: whole, in part, or what there is to say of them.

use s3s::{
    S3Error, S3Request, S3Response, S3Result,
    dto::{
        GetObjectInput, GetObjectOutput, GetObjectTaggingInput, GetObjectTaggingOutput, HeadObjectInput,
        HeadObjectOutput,
    },
};
use tenon_sdk::{Result, SystemTx};

use super::{
    Doors,
    answers::{at, etag, headers_of, length, told},
    conditions::Conditions,
};
use crate::{
    asker::Asker,
    errors,
    model::{Bucket, Object},
    names,
    objects::as_caller,
};

impl Doors {
    pub(super) async fn bucket(&self, bucket: &str) -> Result<Bucket> {
        let tx = SystemTx::begin(self.0.kernel.db(), "bucket of an object").await?;
        let bucket = Bucket::find(&tx, bucket).await?;
        tx.commit().await?;
        Ok(bucket)
    }

    /// What the caller may read.
    pub(super) async fn readable(
        &self,
        asker: &Asker,
        operation: &str,
        bucket: &str,
        key: &str,
    ) -> S3Result<Object> {
        let find = async {
            names::object(key).map_err(|_| errors::no_such_key())?;
            self.bucket(bucket).await?;
            let tx = asker
                .begin(&self.0.kernel, operation, Some((bucket, key)), true)
                .await?;
            let object = as_caller(&tx, bucket, key).await?;
            tx.commit().await?;
            object.content()?;
            Ok(object)
        };
        find.await.map_err(told)
    }

    pub(super) async fn get(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        let object = self
            .readable(&asker, "storage.s3.object.get", &input.bucket, &input.key)
            .await?;
        let conditions = Conditions {
            is: input.if_match,
            is_not: input.if_none_match,
            changed_since: input.if_modified_since,
            unchanged_since: input.if_unmodified_since,
        };
        if !conditions.hold(&object)? {
            return Err(not_modified());
        }
        let size = object.size();
        let range = input.range.map(|range| range.check(size)).transpose()?;
        let content = self
            .0
            .store
            .get(object.content().map_err(told)?, range.clone())
            .await
            .map_err(told)?;
        let about = Self::about(&object);
        // What the one who signed wants it to be called; the box it goes out in stays.
        Ok(S3Response::new(GetObjectOutput {
            body: Some(s3s::Body::http_body_unsync(axum::body::Body::from_stream(content)).into()),
            content_length: Some(
                range
                    .as_ref()
                    .map_or(length(size), |part| length(part.end - part.start)),
            ),
            content_range: range.map(|part| format!("bytes {}-{}/{size}", part.start, part.end - 1)),
            accept_ranges: about.accept_ranges,
            cache_control: input.response_cache_control.or(about.cache_control),
            content_disposition: input.response_content_disposition,
            content_encoding: input.response_content_encoding,
            content_language: input.response_content_language,
            content_type: input.response_content_type.or(about.content_type),
            expires: input.response_expires,
            e_tag: about.e_tag,
            last_modified: about.last_modified,
            metadata: about.metadata,
            ..GetObjectOutput::default()
        }))
    }

    fn about(object: &Object) -> HeadObjectOutput {
        HeadObjectOutput {
            accept_ranges: Some("bytes".into()),
            cache_control: Some(object.cache_control().to_owned()),
            content_length: Some(length(object.size())),
            content_type: Some(object.kind().to_owned()),
            e_tag: Some(etag(object.etag())),
            last_modified: Some(at(object.modified())),
            metadata: headers_of(object.user_metadata.as_ref()),
            ..HeadObjectOutput::default()
        }
    }

    pub(super) async fn head_one(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        let object = self
            .readable(&asker, "storage.s3.object.info", &input.bucket, &input.key)
            .await?;
        let conditions = Conditions {
            is: input.if_match,
            is_not: input.if_none_match,
            changed_since: input.if_modified_since,
            unchanged_since: input.if_unmodified_since,
        };
        if !conditions.hold(&object)? {
            return Err(not_modified());
        }
        Ok(S3Response::new(Self::about(&object)))
    }

    pub(super) async fn tags(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        self.readable(&asker, "storage.s3.object.get_tagging", &input.bucket, &input.key)
            .await?;
        Ok(S3Response::new(GetObjectTaggingOutput::default()))
    }
}

fn not_modified() -> S3Error {
    S3Error::new(s3s::S3ErrorCode::NotModified)
}
