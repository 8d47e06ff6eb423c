//! An object's row: as policies let the caller see it, or as it is.

use std::sync::LazyLock;

use tenon_sdk::{Kernel, Result, SystemTx, db::RequestTx};
use uuid::Uuid;

use crate::{
    errors,
    model::{COLUMNS, Object},
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
    // One statement, since each is a round trip that every download waits for.
    let row = SystemTx::read_opt(kernel.db(), "read object", &AS_SERVER, &[&bucket, &name]).await?;
    let row = row.ok_or_else(errors::no_such_bucket)?;
    if public && !row.try_get::<_, bool>("bucket_is_public")? {
        return Err(errors::no_such_bucket());
    }
    if row.try_get::<_, Option<Uuid>>(0)?.is_none() {
        return Err(errors::no_such_key());
    }
    Object::read(&row)
}

/// A bucket, and the object in it if it is there.
static AS_SERVER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select o.*, coalesce(b.public, false) as bucket_is_public \
         from storage.buckets b left join lateral ( \
             select {COLUMNS} from storage.objects o where o.bucket_id = b.id and name collate \"C\" = $2 \
             and (org_id is null or exists (select from tenancy.organizations g where g.id = o.org_id \
                and g.suspended_at is null and (g.delete_after is null or g.delete_after > now()))) \
         ) o on true where b.id = $1"
    )
});
