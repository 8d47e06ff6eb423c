//! An object's row: as policies let the caller see it, or as it is.

use tenon_sdk::{Kernel, Result, SystemTx, db::RequestTx};

use crate::{
    errors,
    model::{Bucket, COLUMNS, Object},
};

/// As the caller sees it. A name that is hidden from them is not there.
///
/// Errors: `NoSuchKey`.
pub(crate) async fn as_caller(tx: &RequestTx, bucket: &str, name: &str) -> Result<Object> {
    let rows = tx
        .query(
            &format!(
                "select {COLUMNS} from storage.objects where bucket_id = $1 and name collate \"C\" = $2"
            ),
            &[&bucket, &name],
        )
        .await
        .map_err(errors::of_statement)?;
    let row = rows.first().ok_or_else(errors::no_such_key)?;
    Object::read(row)
}

/// As it is, for public buckets and tokens. What belongs to an organisation that is suspended or at its end is not there.
///
/// Errors: `NoSuchBucket`, `NoSuchKey`.
pub(crate) async fn as_server(kernel: &Kernel, bucket: &str, name: &str, public: bool) -> Result<Object> {
    let tx = SystemTx::begin(kernel.db(), "read object").await?;
    let bucket = Bucket::find(&tx, bucket).await?;
    if public && !bucket.public {
        return Err(errors::no_such_bucket());
    }
    let row = tx
        .query_opt(
            &format!(
                "select {COLUMNS} from storage.objects o where bucket_id = $1 and name collate \"C\" = $2 \
                 and (org_id is null or exists (select from tenancy.organizations g where g.id = o.org_id \
                    and g.suspended_at is null and (g.delete_after is null or g.delete_after > now())))"
            ),
            &[&bucket.id, &name],
        )
        .await?;
    tx.commit().await?;
    Object::read(&row.ok_or_else(errors::no_such_key)?)
}
