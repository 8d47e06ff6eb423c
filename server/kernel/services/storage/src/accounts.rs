//! What is kept of people here: that they made a bucket or put an object somewhere. What they made stays; whose it is is forgotten.

use serde_json::{Map, Value};
use tenon_sdk::{Kernel, Result, SystemTx, UserId, accounts::Accounts};

/// Owners of buckets, objects and uploads.
pub(crate) struct Owners;

#[async_trait::async_trait]
impl Accounts for Owners {
    async fn end(&self, _: &Kernel, tx: &SystemTx, user: UserId) -> Result<()> {
        let id = user.to_string();
        for sql in [
            "update storage.objects set owner = null, owner_id = null where owner_id = $1",
            "update storage.buckets set owner = null, owner_id = null where owner_id = $1",
            "update storage.s3_multipart_uploads set owner_id = null where owner_id = $1",
            "delete from storage.resumable_uploads where owner_id = $1",
        ] {
            tx.execute(sql, &[&id]).await?;
        }
        // Rows of SQL that say it in the older column alone.
        for sql in [
            "update storage.objects set owner = null where owner = $1 and owner_id is null",
            "update storage.buckets set owner = null where owner = $1 and owner_id is null",
        ] {
            tx.execute(sql, &[&user]).await?;
        }
        Ok(())
    }

    async fn export(&self, kernel: &Kernel, user: UserId) -> Result<Map<String, Value>> {
        let tx = SystemTx::begin(kernel.db(), "what storage keeps of a person").await?;
        let row = tx
            .query_one(
                "select coalesce(jsonb_agg(jsonb_build_object('bucket', bucket_id, 'name', name, 'size', storage.size_of(metadata), \
                    'created_at', created_at) order by created_at), '[]') from storage.objects where owner_id = $1",
                &[&user.to_string()],
            )
            .await?;
        tx.commit().await?;
        Ok(Map::from_iter([("files".to_owned(), row.try_get(0)?)]))
    }
}
