//! Members as commands see them, and what happens to what they made when they stand lower or are gone.

use serde_json::json;
use tenon_sdk::{Error, OrgId, Result, SystemTx, UserId, env::Env, events::Event, permission::Role};
use uuid::Uuid;

use super::super::plans::{self, Entitlements, Plan};

/// A member as commands see them.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) user: UserId,
    pub(crate) role: Role,
    pub(crate) department: Option<String>,
    pub(crate) suspended: bool,
    /// Shut out of the installation.
    pub(crate) barred: bool,
}

/// An organisation, locked.
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) disabled_apps: Vec<String>,
    /// What it is entitled to.
    pub(crate) entitlements: Entitlements,
}

/// Locks the organisation, so that whoever else changes its members waits: what is counted stays true until the commit.
pub(crate) async fn lock(tx: &SystemTx, org: OrgId) -> Result<Locked> {
    let row = tx
        .query_opt(
            &format!(
                "select o.name, o.settings, o.language, o.disabled_apps, {} from tenancy.organizations o {} \
                 where o.id = $1 for no key update of o",
                plans::COLUMNS,
                plans::OF_ORGANIZATION,
            ),
            &[&org],
        )
        .await?
        .ok_or_else(|| Error::not_found("tenancy.org_not_found", "There is no such organisation."))?;
    Ok(Locked {
        name: row.try_get(0)?,
        language: row.try_get(2)?,
        disabled_apps: row.try_get(3)?,
        entitlements: Plan::read(&row, 4)?.with_flags(&row.try_get(1)?),
    })
}

/// A member of the organisation.
pub(super) async fn member(tx: &SystemTx, org: OrgId, user: UserId) -> Result<Standing> {
    find(tx, org, user)
        .await?
        .ok_or_else(|| Error::not_found("tenancy.member_not_found", "There is no such member."))
}

/// A member, if the person is one.
pub(crate) async fn find(tx: &SystemTx, org: OrgId, user: UserId) -> Result<Option<Standing>> {
    let row = tx
        .query_opt(
            "select role, department, suspended_at is not null, coalesce(barred_until > now(), false) \
             from tenancy.memberships where org_id = $1 and user_id = $2",
            &[&org, &user],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let role: String = row.try_get(0)?;
    Ok(Some(Standing {
        user,
        role: Role::parse(&role).ok_or_else(|| Error::internal(format!("unknown role {role}")))?,
        department: row.try_get(1)?,
        suspended: row.try_get(2)?,
        barred: row.try_get(3)?,
    }))
}

impl Standing {
    /// An error unless this member may change another, or themselves.
    pub(super) fn may_touch(&self, other: &Self) -> Result<()> {
        if other.role > self.role {
            return Err(Error::forbidden(
                "tenancy.member_above_own",
                "You cannot change somebody whose role is above your own.",
            ));
        }
        Ok(())
    }
}

/// An error if the organisation would have no owner without this one.
pub(super) async fn keep_an_owner(tx: &SystemTx, org: OrgId, leaving: &Standing) -> Result<()> {
    if leaving.role != Role::Owner || leaving.suspended {
        return Ok(());
    }
    let others: i64 = tx
        .query_one(
            "select count(*) from tenancy.memberships \
             where org_id = $1 and user_id <> $2 and role = 'owner' and suspended_at is null and not custom_only \
             and (barred_until is null or barred_until <= now())",
            &[&org, &leaving.user],
        )
        .await?
        .try_get(0)?;
    if others > 0 {
        return Ok(());
    }
    Err(Error::conflict(
        "tenancy.last_owner",
        "An organisation has at least one owner, and this is the last.",
    )
    .hint("Make somebody else an owner first, or delete the organisation."))
}

/// Withdraws the open invitations that somebody made who may not invite any more, or none to a role so high: nobody comes back by a
/// link of their own.
pub(super) async fn withdraw_invitations(
    tx: &SystemTx,
    org: OrgId,
    by: UserId,
    keep: Option<Role>,
    now: jiff::Timestamp,
) -> Result<()> {
    let kept: Vec<&str> = Role::ALL
        .into_iter()
        .filter(|role| keep.is_some_and(|highest| *role <= highest && highest >= Role::Admin))
        .map(Role::as_str)
        .collect();
    tx.execute(
        "update tenancy.invitations set revoked_at = $4 \
         where org_id = $1 and created_by = $2 and accepted_at is null and revoked_at is null and role <> all ($3)",
        &[&org, &by, &kept, &now],
    )
    .await
    .map(drop)
}

/// Revokes the secret keys that somebody made which may do more than they may now, or all of somebody who is no member any more: whoever
/// made a key may have kept it. `because` is for the event.
pub(crate) async fn revoke_keys(
    tx: &SystemTx,
    env: &Env,
    org: OrgId,
    maker: UserId,
    actor: Option<UserId>,
    because: &str,
) -> Result<()> {
    let rows = tx
        .query(
            "update tenancy.api_keys k set revoked_at = $3, revoked_by = $4 \
             where k.org_id = $1 and k.created_by = $2 and k.kind = 'secret' and k.revoked_at is null \
             and not k.scopes <@ coalesce(string_to_array(trim(both ',' from tenancy.granted($1, $2)), ','), '{}') \
             returning k.id, k.name",
            &[&org, &maker, &env.now(), &actor],
        )
        .await?;
    for row in &rows {
        let (id, name): (Uuid, String) = (row.try_get(0)?, row.try_get(1)?);
        let revoked = Event::new(
            "access.key_revoked",
            id,
            json!({ "name": name, "because": because }),
        );
        tx.emit(env, org, actor, &revoked).await?;
    }
    Ok(())
}
