//! What an organisation's plan allows, counted while the organisation is locked.

use jiff::{SignedDuration, Timestamp};
use tenon_sdk::{Error, OrgId, Result, SystemTx};

use super::super::{
    Acting,
    plans::{Entitlements, Feature},
};
use super::standing::Locked;

fn limit(entitlements: &Entitlements, what: &str, most: i32) -> Error {
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
    let allowed = &locked.entitlements;
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
        return Err(limit(allowed, "members and open invitations", most));
    }
    Ok(())
}

/// An error if nobody more may be a member who is let in.
pub(super) async fn one_more_member(tx: &SystemTx, org: OrgId, locked: &Locked) -> Result<()> {
    let allowed = &locked.entitlements;
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
        return Err(limit(allowed, "members", most));
    }
    Ok(())
}

/// An error if there may be no further department.
pub(super) async fn one_more_department(tx: &SystemTx, org: OrgId, locked: &Locked) -> Result<()> {
    let allowed = &locked.entitlements;
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
        return Err(limit(allowed, "departments", most));
    }
    Ok(())
}

/// An error if the plan does not include a feature.
pub(crate) fn included(locked: &Locked, feature: Feature) -> Result<()> {
    let allowed = &locked.entitlements;
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

/// Counts a mail with an invitation, before it is written.
///
/// Errors: `tenancy.invitation_just_sent` if the organisation has invited that address a moment ago, whatever has become of that
/// invitation; `tenancy.too_many_mails` if the caller has sent too many in this hour, wherever.
pub(super) async fn one_more_mail(acting: &Acting, email: &str) -> Result<()> {
    let (tx, now, org) = (acting.tx(), acting.env().now(), acting.org());
    let settings = &acting.ctx().kernel().config().tenancy;
    let sender = acting.ctx().user_id();
    let pause = SignedDuration::from_secs(settings.invitation_pause_seconds.max(0));
    let hour = SignedDuration::from_hours(1);
    let row = tx
        .query_one(
            "select exists (select from tenancy.invitation_mails where org_id = $1 and email = $2 and sent_at > $3), \
             (select count(*) from tenancy.invitation_mails where sent_by = $4 and sent_at > $5)",
            &[&org, &email, &(now - pause), &sender, &(now - hour)],
        )
        .await?;
    if row.try_get(0)? {
        return Err(Error::rate_limited(
            "tenancy.invitation_just_sent",
            "This address was invited a moment ago.",
        )
        .hint("Wait a minute."));
    }
    if settings.invitation_mails > 0 && row.try_get::<_, i64>(1)? >= i64::from(settings.invitation_mails) {
        return Err(Error::rate_limited(
            "tenancy.too_many_mails",
            "You have sent too many invitations in this hour.",
        )
        .hint("Wait a while, or make invitations without an address and pass their links on.")
        .retry_after(600));
    }
    tx.execute(
        "insert into tenancy.invitation_mails (org_id, email, sent_by, sent_at) values ($1, $2, $3, $4)",
        &[&org, &email, &sender, &now],
    )
    .await
    .map(drop)
}
