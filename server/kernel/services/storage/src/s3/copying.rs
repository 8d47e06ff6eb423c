//! Copies of objects.

use s3s::{
    S3Request, S3Response, S3Result,
    dto::{CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, MetadataDirective},
    s3_error,
};

use super::{
    Doors,
    answers::{at, etag, told, told_metadata},
    conditions::Conditions,
};
use crate::objects::{duplicate, wish};

impl Doors {
    pub(super) async fn copy(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        let (from, key) = source(&input.copy_source)?;
        let object = self.readable(&asker, "storage.s3.object.copy", from, key).await?;
        let conditions = Conditions {
            is: input.copy_source_if_match,
            is_not: input.copy_source_if_none_match,
            changed_since: input.copy_source_if_modified_since,
            unchanged_since: input.copy_source_if_unmodified_since,
        };
        if !conditions.hold(&object)? {
            return Err(s3_error!(PreconditionFailed));
        }
        let replaced = input
            .metadata_directive
            .as_ref()
            .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        let bucket = self.bucket(&input.bucket).await.map_err(told)?;
        let mut wish = wish(bucket, input.key, asker.owner(), true);
        wish.length = Some(object.size());
        if replaced {
            wish.kind = input.content_type.unwrap_or_else(|| object.kind().to_owned());
            wish.cache_control = input
                .cache_control
                .unwrap_or_else(|| object.cache_control().to_owned());
            wish.user_metadata = told_metadata(input.metadata);
        } else {
            wish.kind = object.kind().to_owned();
            wish.cache_control = object.cache_control().to_owned();
            wish.user_metadata.clone_from(&object.user_metadata);
        }
        let made = duplicate(&self.0, &asker, "storage.s3.object.copy", &object, wish)
            .await
            .map_err(told)?;
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(etag(made.etag())),
                last_modified: Some(at(made.modified())),
                ..CopyObjectResult::default()
            }),
            ..CopyObjectOutput::default()
        }))
    }
}

/// The bucket and the key that a copy is made of.
pub(super) fn source(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket {
            bucket,
            key,
            version_id: None,
        } => Ok((bucket, key)),
        _ => Err(s3_error!(NotImplemented)),
    }
}
