//! Objects put.

use s3s::{
    S3Request, S3Response, S3Result,
    dto::{Checksum, ETagCondition, PutObjectInput, PutObjectOutput, StreamingBlob},
    s3_error,
};

use super::{
    Doors,
    answers::{etag, told, told_metadata},
    checks::{Checks, Promised, Trailers},
    forms::File,
};
use crate::objects::{Upload, wish};

impl Doors {
    pub(super) async fn put(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        let bucket = self.bucket(&input.bucket).await.map_err(told)?;
        // "*" is the one thing that may be said of what is there before it is replaced.
        let new_only = match input.if_none_match {
            None => false,
            Some(ETagCondition::Any) => true,
            Some(ETagCondition::ETag(_)) => return Err(s3_error!(NotImplemented)),
        };
        if input.if_match.is_some() {
            return Err(s3_error!(NotImplemented));
        }
        let mut wish = wish(bucket, input.key, asker.owner(), !new_only);
        if let Some(kind) = input.content_type.filter(|kind| !kind.is_empty()) {
            wish.kind = kind;
        }
        if let Some(cache_control) = input.cache_control {
            wish.cache_control = cache_control;
        }
        wish.user_metadata = told_metadata(input.metadata);
        wish.length = input.content_length.and_then(|length| u64::try_from(length).ok());
        let body = input
            .body
            .unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
        let mut promised = Promised {
            length: input.content_length,
            md5: input.content_md5,
            sums: Checksum {
                checksum_crc32: input.checksum_crc32,
                checksum_crc32c: input.checksum_crc32c,
                checksum_crc64nvme: input.checksum_crc64nvme,
                checksum_sha1: input.checksum_sha1,
                checksum_sha256: input.checksum_sha256,
                ..Checksum::default()
            },
        };
        // The file of a form comes beside what the form says.
        let file = request.extensions.get::<File>().and_then(File::take);
        if file.is_some() {
            (promised.length, wish.length) = (None, None);
        }
        let checks = Checks::new(promised, &request.headers, request.extensions.get::<Trailers>())?;
        let upload = Upload::by(&self.0, &asker, "storage.s3.upload", wish)
            .await
            .map_err(told)?;
        let content = match file {
            Some(file) => checks.watch(file),
            None => checks.watch(body),
        };
        let (key, kept) = upload.keep(content).await.map_err(|error| checks.error(error))?;
        let object = upload.finish(&key, &kept).await.map_err(told)?;
        let found = checks.found();
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(etag(object.etag())),
            checksum_crc32: found.checksum_crc32,
            checksum_crc32c: found.checksum_crc32c,
            checksum_crc64nvme: found.checksum_crc64nvme,
            checksum_sha1: found.checksum_sha1,
            checksum_sha256: found.checksum_sha256,
            ..PutObjectOutput::default()
        }))
    }
}
