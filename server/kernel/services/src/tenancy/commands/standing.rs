//! Who acts on an organisation's members, and whom they may touch.

use tenon_sdk::{Ctx, Error, OrgId, Result, SystemTx, UserId, permission::Role};

/// A member as commands see them.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) user: UserId,
    pub(super) role: Role,
    pub(super) department: Option<String>,
    pub(super) suspended: bool,
}

/// An organisation, locked.
pub(super) struct Locked {
    pub(super) name: String,
    pub(super) plan: String,
    pub(super) settings: serde_json::Value,
    pub(super) language: String,
}

/// Locks the organisation, so that whoever else changes its members waits: what is counted stays true until the commit.
pub(super) async fn lock(tx: &SystemTx, org: OrgId) -> Result<Locked> {
    let row = tx
        .query_opt(
            "select name, plan, settings, language from tenancy.organizations where id = $1 for no key update",
            &[&org],
        )
        .await?
        .ok_or_else(|| Error::not_found("tenancy.org_not_found", "There is no such organisation."))?;
    Ok(Locked {
        name: row.try_get(0)?,
        plan: row.try_get(1)?,
        settings: row.try_get(2)?,
        language: row.try_get(3)?,
    })
}

/// A member of the organisation.
pub(super) async fn member(tx: &SystemTx, org: OrgId, user: UserId) -> Result<Standing> {
    find(tx, org, user)
        .await?
        .ok_or_else(|| Error::not_found("tenancy.member_not_found", "There is no such member."))
}

/// A member, if the person is one.
pub(super) async fn find(tx: &SystemTx, org: OrgId, user: UserId) -> Result<Option<Standing>> {
    let row = tx
        .query_opt(
            "select role, department, suspended_at is not null from tenancy.memberships where org_id = $1 and user_id = $2",
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
    }))
}

/// The member who acts, as they stand now: their rights were checked before the organisation was locked. Keys of programs and
/// operators who help have no standing among members.
pub(super) async fn actor(tx: &SystemTx, ctx: &Ctx) -> Result<Standing> {
    let nobody = || {
        Error::forbidden(
            "tenancy.member_needed",
            "Only a member of the organisation may do this.",
        )
    };
    let user = ctx.user_id().ok_or_else(nobody)?;
    let mut standing = find(tx, ctx.org_id(), user).await?.ok_or_else(nobody)?;
    if standing.suspended {
        return Err(nobody());
    }
    // A token may be worth less than its owner.
    let resolved = ctx
        .resolved()
        .and_then(|resolved| Role::parse(resolved.role.as_deref()?))
        .ok_or_else(nobody)?;
    standing.role = standing.role.min(resolved);
    Ok(standing)
}

impl Standing {
    /// An error unless this member may give a role.
    pub(super) fn may_give(&self, role: Role) -> Result<()> {
        if role > self.role {
            return Err(Error::forbidden(
                "tenancy.role_above_own",
                "You cannot give a role above your own.",
            ));
        }
        Ok(())
    }

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
