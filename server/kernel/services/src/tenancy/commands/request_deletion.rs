//! An owner wants the organisation deleted, or changes their mind. Between wish and deed lie some days in which all goes on as before
//! and the data can be taken away.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Deserialize;
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, events::Event, permission::Role};
use utoipa::ToSchema;

use super::super::{Acting, mails, permissions::OrganizationDelete};
use crate::notifications;

/// The wish to delete an organisation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeletionWish {
    /// The organisation's name, typed by whoever means it.
    pub name: String,
}

/// Sets the day on which the organisation is deleted, and tells its owners; gives when that is.
pub(in super::super) async fn request_deletion(ctx: &Ctx, wish: &DeletionWish) -> Result<Timestamp> {
    let config = ctx.kernel().config();
    let acting = Acting::begin::<OrganizationDelete>(ctx, "deletion asked for").await?;
    let (org, env, tx, locked) = (acting.org(), acting.env(), acting.tx(), &acting.locked);
    let actor = acting.member().await?;
    acting.may_give(Role::Owner)?;
    if wish.name.trim() != locked.name {
        return Err(
            Error::unprocessable("tenancy.name_differs", "This is not the organisation's name.")
                .hint("Type it as it stands in the settings."),
        );
    }
    let end = env.now() + SignedDuration::from_hours(24 * config.tenancy.deletion_grace_days.max(0));
    let row = tx
        .query_opt(
            "update tenancy.organizations set delete_after = $2, delete_requested_by = $3 \
             where id = $1 and delete_after is null returning slug, time_zone, delete_after",
            &[&org, &end, &actor.user],
        )
        .await?
        .ok_or_else(|| {
            Error::conflict(
                "tenancy.deletion_pending",
                "The organisation is to be deleted already.",
            )
            .hint("Take that back first to set another day.")
        })?;
    let (slug, zone): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    // As the database keeps it.
    let end: Timestamp = row.try_get(2)?;
    let day = end.to_zoned(TimeZone::get(&zone).unwrap_or(TimeZone::UTC)).date();
    let url = format!("{}/o/{slug}/settings/danger", config.server.site_url);
    let owners = tx
        .query(
            "select u.email, coalesce(u.raw_user_meta_data ->> 'locale', $2) from tenancy.memberships m \
             join auth.users u on u.id = m.user_id \
             where m.org_id = $1 and m.role = 'owner' and m.suspended_at is null and u.email is not null",
            &[&org, &locked.language],
        )
        .await?;
    for owner in owners {
        let (email, language): (String, String) = (owner.try_get(0)?, owner.try_get(1)?);
        let language = language.get(..2).unwrap_or_default();
        let message = mails::deletion(language, &email, &locked.name, &url, day);
        notifications::queue(tx, env, &config.mail, &message).await?;
    }
    let asked = Event::new(
        "tenancy.deletion_requested",
        org.0,
        json!({ "delete_after": end }),
    );
    acting.emit(&asked).await?;
    acting.commit().await?;
    Ok(end)
}

/// Takes the wish back.
pub(in super::super) async fn cancel_deletion(ctx: &Ctx) -> Result<()> {
    let acting = Acting::begin::<OrganizationDelete>(ctx, "deletion taken back").await?;
    let org = acting.org();
    acting.member().await?;
    acting.may_give(Role::Owner)?;
    let cleared = acting
        .tx()
        .execute(
            "update tenancy.organizations set delete_after = null, delete_requested_by = null \
             where id = $1 and delete_after > now()",
            &[&org],
        )
        .await?;
    if cleared == 0 {
        return Err(Error::conflict(
            "tenancy.no_deletion_pending",
            "The organisation is not to be deleted.",
        ));
    }
    let cancelled = Event::new("tenancy.deletion_cancelled", org.0, json!({}));
    acting.emit(&cancelled).await?;
    acting.commit().await
}
