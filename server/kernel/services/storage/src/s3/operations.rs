//! Which operation is done where.

use axum::http::Extensions;
use s3s::{
    S3, S3Request, S3Response, S3Result,
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
        CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CreateBucketInput,
        CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteBucketInput,
        DeleteBucketOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput,
        GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput, GetBucketVersioningOutput,
        GetObjectInput, GetObjectOutput, GetObjectTaggingInput, GetObjectTaggingOutput, HeadBucketInput,
        HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput,
        ListMultipartUploadsInput, ListMultipartUploadsOutput, ListObjectsInput, ListObjectsOutput,
        ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, PutObjectInput,
        PutObjectOutput, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
    },
    s3_error,
};

use super::Doors;
use crate::asker::Asker;

/// Who was found to ask.
pub(super) fn asker(extensions: &Extensions) -> S3Result<Asker> {
    extensions
        .get::<Asker>()
        .cloned()
        .ok_or_else(|| s3_error!(AccessDenied))
}

macro_rules! operations {
    ($($name:ident: $input:ident -> $output:ident = $done:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Doors {
            $(
                async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    self.$done(request).await
                }
            )*

            async fn get_bucket_versioning(
                &self,
                request: S3Request<GetBucketVersioningInput>,
            ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
                let asker = asker(&request.extensions)?;
                self.is_there(&asker, "storage.s3.bucket.get_versioning", &request.input.bucket)
                    .await?;
                Ok(S3Response::new(GetBucketVersioningOutput::default()))
            }
        }
    };
}

operations! {
    list_buckets: ListBucketsInput -> ListBucketsOutput = buckets;
    create_bucket: CreateBucketInput -> CreateBucketOutput = make;
    delete_bucket: DeleteBucketInput -> DeleteBucketOutput = unmake;
    head_bucket: HeadBucketInput -> HeadBucketOutput = head;
    get_bucket_location: GetBucketLocationInput -> GetBucketLocationOutput = location;
    list_objects: ListObjectsInput -> ListObjectsOutput = list_one;
    list_objects_v2: ListObjectsV2Input -> ListObjectsV2Output = list_two;
    put_object: PutObjectInput -> PutObjectOutput = put;
    get_object: GetObjectInput -> GetObjectOutput = get;
    head_object: HeadObjectInput -> HeadObjectOutput = head_one;
    get_object_tagging: GetObjectTaggingInput -> GetObjectTaggingOutput = tags;
    copy_object: CopyObjectInput -> CopyObjectOutput = copy;
    delete_object: DeleteObjectInput -> DeleteObjectOutput = delete_one;
    delete_objects: DeleteObjectsInput -> DeleteObjectsOutput = delete_many;
    create_multipart_upload: CreateMultipartUploadInput -> CreateMultipartUploadOutput = begin;
    upload_part: UploadPartInput -> UploadPartOutput = part;
    upload_part_copy: UploadPartCopyInput -> UploadPartCopyOutput = part_copy;
    complete_multipart_upload: CompleteMultipartUploadInput -> CompleteMultipartUploadOutput = complete;
    abort_multipart_upload: AbortMultipartUploadInput -> AbortMultipartUploadOutput = abort;
    list_multipart_uploads: ListMultipartUploadsInput -> ListMultipartUploadsOutput = uploads;
    list_parts: ListPartsInput -> ListPartsOutput = list_parts_of;
}
