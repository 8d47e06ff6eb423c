//! What access keeps of people: their tokens, the spaces they are in, and visits of those who help.

use serde_json::{Map, Value, json};
use tenon_sdk::{Ctx, Kernel, OrgId, Result, SystemTx, UserId, accounts::Accounts};

use super::spaces;

/// Tokens, spaces and visits.
pub(super) struct Holders;

#[async_trait::async_trait]
impl Accounts for Holders {
    async fn end(&self, kernel: &Kernel, tx: &SystemTx, user: UserId) -> Result<()> {
        tx.execute("delete from tenancy.api_keys where user_id = $1", &[&user])
            .await?;
        tx.execute(
            "update tenancy.support_access set ended_at = $2 where operator = $1 and ended_at is null",
            &[&user, &kernel.env().now()],
        )
        .await
        .map(drop)
    }

    async fn export(&self, kernel: &Kernel, user: UserId) -> Result<Map<String, Value>> {
        let tx = SystemTx::begin(kernel.db(), "what access keeps of a person").await?;
        let row = tx
            .query_one(
                "select (select coalesce(jsonb_agg(jsonb_build_object('name', k.name, 'begins_with', k.prefix, \
                    'organization', o.name, 'scopes', k.scopes, 'created_at', k.created_at, 'expires_at', k.expires_at, \
                    'revoked_at', k.revoked_at, 'last_used_at', k.last_used_at) order by k.created_at), '[]') \
                    from tenancy.api_keys k left join tenancy.organizations o on o.id = k.org_id where k.user_id = $1), \
                 (select coalesce(jsonb_agg(jsonb_build_object('organization', o.name, 'reason', s.reason, \
                    'started_at', s.started_at, 'ends_at', s.ends_at, 'ended_at', s.ended_at) order by s.started_at), '[]') \
                    from tenancy.support_access s join tenancy.organizations o on o.id = s.org_id where s.operator = $1)",
                &[&user],
            )
            .await?;
        let organizations = tx
            .query(
                "select o.id, o.name, m.department from tenancy.memberships m join tenancy.organizations o on o.id = m.org_id \
                 where m.user_id = $1 order by m.created_at, o.id",
                &[&user],
            )
            .await?;
        tx.commit().await?;
        let mut all = Vec::new();
        for organization in organizations {
            let (org, name): (OrgId, String) = (organization.try_get(0)?, organization.try_get(1)?);
            let tx = Ctx::for_job(kernel.clone(), org, None).begin().await?;
            for space in spaces::names_of(&tx, user, organization.try_get(2)?).await? {
                all.push(json!({ "organization": name, "name": space }));
            }
            tx.commit().await?;
        }
        Ok(Map::from_iter([
            ("tokens".to_owned(), row.try_get(0)?),
            ("support_visits".to_owned(), row.try_get(1)?),
            ("spaces".to_owned(), Value::Array(all)),
        ]))
    }
}
