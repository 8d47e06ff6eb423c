//! An owner sends an operator of the installation away, or the operator leaves.

use serde_json::json;
use tenon_sdk::{Error, Kernel, OrgId, Result, SystemTx, UserId, events::Event};
use uuid::Uuid;

/// Ends a support session at once. One that has ended stays so. With `operator`, only one of theirs.
pub async fn end_support(
    kernel: &Kernel,
    org: OrgId,
    id: Uuid,
    by: Option<UserId>,
    operator: Option<UserId>,
) -> Result<()> {
    let env = kernel.env();
    let tx = SystemTx::begin(kernel.db(), "end support").await?;
    let row = tx
        .query_opt(
            "select operator, ended_at is null and ends_at > $3 from tenancy.support_access \
             where org_id = $1 and id = $2 for update",
            &[&org, &id, &env.now()],
        )
        .await?
        .filter(|row| operator.is_none() || row.try_get::<_, Option<UserId>>(0).ok().flatten() == operator)
        .ok_or_else(|| Error::not_found("access.support_not_found", "There is no such visit of support."))?;
    if row.try_get::<_, bool>(1)? {
        tx.execute(
            "update tenancy.support_access set ended_at = $3, ended_by = $4 where org_id = $1 and id = $2",
            &[&org, &id, &env.now(), &by],
        )
        .await?;
        let visitor: Option<UserId> = row.try_get(0)?;
        let left = Event::new("access.support_left", id, json!({ "operator": visitor }));
        tx.emit(env, org, by, &left).await?;
    }
    tx.commit().await
}
