//! What organisations keep of people: that they belong to them, and whom they asked in.

use serde_json::{Map, Value};
use tenon_sdk::{Kernel, Result, SystemTx, UserId, accounts::Accounts};

use super::commands;

/// Memberships and invitations.
pub(super) struct Members;

#[async_trait::async_trait]
impl Accounts for Members {
    async fn end(&self, kernel: &Kernel, tx: &SystemTx, user: UserId) -> Result<()> {
        commands::end_memberships(kernel.env(), tx, user).await?;
        tx.execute(
            "delete from tenancy.invitation_mails where sent_by = $1 \
             or email = (select u.email from auth.users u where u.id = $1)",
            &[&user],
        )
        .await
        .map(drop)
    }

    async fn export(&self, kernel: &Kernel, user: UserId) -> Result<Map<String, Value>> {
        let tx = SystemTx::begin(kernel.db(), "what organisations keep of a person").await?;
        let row = tx
            .query_one(
                "select (select coalesce(jsonb_agg(jsonb_build_object('organization', o.name, 'role', m.role, \
                    'department', m.department, 'since', m.created_at, 'suspended_at', m.suspended_at) \
                    order by m.created_at), '[]') \
                    from tenancy.memberships m join tenancy.organizations o on o.id = m.org_id where m.user_id = $1), \
                 (select coalesce(jsonb_agg(jsonb_build_object('organization', o.name, 'email', i.email, 'role', i.role, \
                    'at', i.created_at, 'expires_at', i.expires_at, 'accepted_at', i.accepted_at, \
                    'revoked_at', i.revoked_at) order by i.created_at), '[]') \
                    from tenancy.invitations i join tenancy.organizations o on o.id = i.org_id where i.created_by = $1)",
                &[&user],
            )
            .await?;
        tx.commit().await?;
        Ok(Map::from_iter([
            ("memberships".to_owned(), row.try_get(0)?),
            ("invitations_made".to_owned(), row.try_get(1)?),
        ]))
    }
}
