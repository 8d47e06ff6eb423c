//! How much an organisation may have, and has.

use tenon_sdk::{Error, OrgId, Result, SystemTx};

use super::Wish;
use crate::{errors, service::Storage};

/// The bytes that an object may have so that its organisation stays within its quota. It may be less the next moment.
pub(super) async fn room(storage: &Storage, wish: &Wish, org: OrgId) -> Result<u64> {
    let tx = SystemTx::begin(storage.kernel.db(), "room for files").await?;
    let (most, used) = quota(storage, &tx, org).await?;
    let replaced: Option<i64> = tx
        .query_opt(
            "select storage.size_of(metadata) from storage.objects where bucket_id = $1 and name collate \"C\" = $2 and $3",
            &[&wish.bucket.id, &wish.name, &wish.upsert],
        )
        .await?
        .map(|row| row.try_get(0))
        .transpose()?;
    tx.commit().await?;
    let replaced = replaced.map_or(0, i64::unsigned_abs);
    Ok(most.map_or(u64::MAX, |most| {
        most.saturating_sub(used).saturating_add(replaced)
    }))
}

async fn quota(storage: &Storage, tx: &SystemTx, org: OrgId) -> Result<(Option<u64>, u64)> {
    let row = tx
        .query_opt(
            "select o.settings ->> 'storage_bytes', u.bytes from tenancy.organizations o \
             left join storage.usage u on u.org_id = o.id where o.id = $1",
            &[&org],
        )
        .await?
        .ok_or_else(errors::no_such_key)?;
    let settled: Option<String> = row.try_get(0)?;
    let used: Option<i64> = row.try_get(1)?;
    let most = settled
        .and_then(|text| text.parse().ok())
        .unwrap_or(storage.kernel.config().storage.organization_bytes);
    Ok((
        (most > 0).then_some(most),
        used.map_or(0, |used| u64::try_from(used).unwrap_or(0)),
    ))
}

/// An organisation that goes while content comes takes no more of it.
pub(super) async fn stands(tx: &SystemTx, org: OrgId) -> Result<()> {
    tx.query_opt(
        "select from tenancy.organizations where id = $1 and (delete_after is null or delete_after > now()) for key share",
        &[&org],
    )
    .await?
    .map(drop)
    .ok_or_else(|| {
        Error::not_found("tenancy.org_not_found", "There is no such organisation.")
            .hint("Name an organisation you belong to in the header x-org-id.")
    })
}

/// An error if the organisation has more than it may, what this transaction wrote included. Its counter is locked by that, so that of
/// two uploads which fit alone but not together one is refused.
pub(super) async fn within_quota(storage: &Storage, tx: &SystemTx, org: OrgId) -> Result<()> {
    let (most, used) = quota(storage, tx, org).await?;
    if most.is_some_and(|most| used > most) {
        return Err(errors::over_quota());
    }
    Ok(())
}
