//! What an organisation's plan allows, counted while the organisation is locked.

use jiff::Timestamp;
use tenon_sdk::{Error, OrgId, Result, SystemTx};

use super::super::plans::{Entitlements, Feature, entitlements};
use super::standing::Locked;

impl Locked {
    /// What the organisation is entitled to.
    pub(super) fn entitlements(&self) -> Entitlements {
        entitlements(&self.plan, &self.settings)
    }
}

fn limit(entitlements: &Entitlements, what: &str, most: u32) -> Error {
    Error::conflict(
        "tenancy.plan_limit",
        "The organisation's plan does not allow more.",
    )
    .details(format!("{} allows {most} {what}.", entitlements.title))
    .hint("Remove some, or ask for a larger plan.")
}

/// An error if nobody more may be invited: members who are let in and open invitations count.
pub(super) async fn one_more_invitation(
    tx: &SystemTx,
    org: OrgId,
    locked: &Locked,
    now: Timestamp,
) -> Result<()> {
    let allowed = locked.entitlements();
    let Some(most) = allowed.members else {
        return Ok(());
    };
    let count: i64 = tx
        .query_one(
            "select (select count(*) from tenancy.memberships where org_id = $1 and suspended_at is null) + \
             (select count(*) from tenancy.invitations where org_id = $1 and accepted_at is null and revoked_at is null \
              and expires_at > $2)",
            &[&org, &now],
        )
        .await?
        .try_get(0)?;
    if count >= i64::from(most) {
        return Err(limit(&allowed, "members and open invitations", most));
    }
    Ok(())
}

/// An error if nobody more may be a member who is let in.
pub(super) async fn one_more_member(tx: &SystemTx, org: OrgId, locked: &Locked) -> Result<()> {
    let allowed = locked.entitlements();
    let Some(most) = allowed.members else {
        return Ok(());
    };
    let count: i64 = tx
        .query_one(
            "select count(*) from tenancy.memberships where org_id = $1 and suspended_at is null",
            &[&org],
        )
        .await?
        .try_get(0)?;
    if count >= i64::from(most) {
        return Err(limit(&allowed, "members", most));
    }
    Ok(())
}

/// An error if there may be no further department.
pub(super) async fn one_more_department(tx: &SystemTx, org: OrgId, locked: &Locked) -> Result<()> {
    let allowed = locked.entitlements();
    let Some(most) = allowed.departments else {
        return Ok(());
    };
    let count: i64 = tx
        .query_one(
            "select count(*) from tenancy.departments where org_id = $1",
            &[&org],
        )
        .await?
        .try_get(0)?;
    if count >= i64::from(most) {
        return Err(limit(&allowed, "departments", most));
    }
    Ok(())
}

/// An error if the plan does not include a feature.
pub(super) fn included(locked: &Locked, feature: Feature) -> Result<()> {
    let allowed = locked.entitlements();
    if allowed.has(feature) {
        return Ok(());
    }
    Err(Error::forbidden(
        "tenancy.not_in_plan",
        "The organisation's plan does not include this.",
    )
    .details(format!("{} has no {}.", allowed.title, feature.as_str()))
    .hint("Ask for a larger plan."))
}

/// An error if the plan of an organisation, which is locked then, does not include a feature.
pub(crate) async fn require_feature(tx: &SystemTx, org: OrgId, feature: Feature) -> Result<()> {
    included(&super::standing::lock(tx, org).await?, feature)
}
