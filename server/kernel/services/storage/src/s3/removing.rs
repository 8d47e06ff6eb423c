//! Objects deleted, as far as policies let the caller.

use s3s::{
    S3Request, S3Response, S3Result,
    dto::{DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject},
    s3_error,
};
use tenon_sdk::{Result, SystemTx};

use super::{Doors, answers::told};
use crate::{asker::Asker, objects::away};

impl Doors {
    /// Deletes what the caller may delete; gives those names that are there still.
    async fn remove(
        &self,
        asker: &Asker,
        operation: &str,
        bucket: &str,
        keys: &[String],
    ) -> Result<Vec<String>> {
        self.bucket(bucket).await?;
        // No name has it, and PostgreSQL takes none.
        let keys: Vec<String> = keys.iter().filter(|key| !key.contains('\0')).cloned().collect();
        let place = keys.first().map(|key| (bucket, key.as_str()));
        let tx = asker.begin(&self.0.kernel, operation, place, false).await?;
        away(&tx, bucket, &keys).await?;
        tx.commit().await?;
        let tx = SystemTx::begin(self.0.kernel.db(), "what was not deleted").await?;
        let rows = tx
            .query(
                "select name from storage.objects where bucket_id = $1 and name collate \"C\" = any ($2)",
                &[&bucket, &keys],
            )
            .await?;
        tx.commit().await?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }

    pub(super) async fn delete_one(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        let left = self
            .remove(&asker, "storage.s3.object.delete", &input.bucket, &[input.key])
            .await
            .map_err(told)?;
        if left.is_empty() {
            Ok(S3Response::new(DeleteObjectOutput::default()))
        } else {
            Err(s3_error!(AccessDenied))
        }
    }

    pub(super) async fn delete_many(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let asker = super::asker(&request.extensions)?;
        let input = request.input;
        let keys: Vec<String> = input
            .delete
            .objects
            .into_iter()
            .map(|object| object.key)
            .collect();
        if !(1..=1000).contains(&keys.len()) {
            return Err(s3_error!(MalformedXML));
        }
        let left = self
            .remove(&asker, "storage.s3.object.delete_many", &input.bucket, &keys)
            .await
            .map_err(told)?;
        let quiet = input.delete.quiet.unwrap_or(false);
        let (kept, gone): (Vec<String>, Vec<String>) = keys.into_iter().partition(|key| left.contains(key));
        let deleted = gone.into_iter().filter(|_| !quiet).map(|key| DeletedObject {
            key: Some(key),
            ..DeletedObject::default()
        });
        let refused = kept.into_iter().map(|key| s3s::dto::Error {
            code: Some("AccessDenied".into()),
            key: Some(key),
            message: Some("Access Denied".into()),
            ..s3s::dto::Error::default()
        });
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: Some(deleted.collect()),
            errors: Some(refused.collect()),
            ..DeleteObjectsOutput::default()
        }))
    }
}
