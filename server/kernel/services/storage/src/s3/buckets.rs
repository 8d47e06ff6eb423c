//! Buckets.

use jiff::Timestamp;
use s3s::{
    S3Request, S3Response, S3Result,
    dto::{
        Bucket, BucketCannedACL, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput,
        DeleteBucketInput, DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput,
        HeadBucketInput, HeadBucketOutput, ListBucketsInput, ListBucketsOutput,
    },
};
use tenon_sdk::Result;

use super::{
    Doors,
    answers::{at, told},
};
use crate::{
    asker::Asker,
    buckets::{New, create_bucket, delete_bucket},
    errors,
};

impl Doors {
    async fn seen(&self, asker: &Asker, operation: &str, bucket: &str) -> Result<()> {
        let tx = asker.begin(&self.0.kernel, operation, None, true).await?;
        let seen = tx
            .query("select id from storage.buckets where id = $1", &[&bucket])
            .await
            .map_err(errors::of_statement)?;
        tx.commit().await?;
        if seen.is_empty() {
            Err(errors::no_such_bucket())
        } else {
            Ok(())
        }
    }

    pub(super) async fn buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let asker = super::asker(&request.extensions)?;
        let found = async {
            let tx = asker
                .begin(&self.0.kernel, "storage.s3.bucket.list", None, true)
                .await?;
            let rows = tx
                .query(
                    "select name, created_at from storage.buckets order by name collate \"C\"",
                    &[],
                )
                .await
                .map_err(errors::of_statement)?;
            tx.commit().await?;
            let mut buckets = Vec::with_capacity(rows.len());
            for row in &rows {
                let created: Option<Timestamp> = row.try_get(1)?;
                buckets.push(Bucket {
                    name: Some(row.try_get(0)?),
                    creation_date: created.map(at),
                    ..Bucket::default()
                });
            }
            Ok(buckets)
        };
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(found.await.map_err(told)?),
            ..ListBucketsOutput::default()
        }))
    }

    pub(super) async fn make(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let asker = super::asker(&request.extensions)?;
        let public = request.input.acl.as_ref().is_some_and(|acl| {
            [BucketCannedACL::PUBLIC_READ, BucketCannedACL::PUBLIC_READ_WRITE].contains(&acl.as_str())
        });
        let name = request.input.bucket;
        let new = New {
            id: name.clone(),
            name: name.clone(),
            public,
            limit: None,
            kinds: None,
        };
        create_bucket(&self.0, &asker, "storage.s3.bucket.create", &new)
            .await
            .map_err(told)?;
        Ok(S3Response::new(CreateBucketOutput {
            location: Some(format!("/{name}")),
        }))
    }

    pub(super) async fn unmake(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> S3Result<S3Response<DeleteBucketOutput>> {
        let asker = super::asker(&request.extensions)?;
        delete_bucket(&self.0, &asker, "storage.s3.bucket.delete", &request.input.bucket)
            .await
            .map_err(told)?;
        Ok(S3Response::new(DeleteBucketOutput::default()))
    }

    pub(super) async fn head(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        let asker = super::asker(&request.extensions)?;
        self.seen(&asker, "storage.s3.bucket.head", &request.input.bucket)
            .await
            .map_err(told)?;
        Ok(S3Response::new(HeadBucketOutput {
            bucket_region: Some(self.region()),
            ..HeadBucketOutput::default()
        }))
    }

    pub(super) async fn location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        let asker = super::asker(&request.extensions)?;
        self.seen(&asker, "storage.s3.bucket.get_location", &request.input.bucket)
            .await
            .map_err(told)?;
        Ok(S3Response::new(GetBucketLocationOutput {
            location_constraint: Some(BucketLocationConstraint::from(self.region())),
        }))
    }

    /// That a bucket is there, for what says nothing else of it.
    pub(super) async fn is_there(&self, asker: &Asker, operation: &str, bucket: &str) -> S3Result<()> {
        self.seen(asker, operation, bucket).await.map_err(told)
    }

    fn region(&self) -> String {
        self.0.kernel.config().storage.protocol.region.clone()
    }
}
