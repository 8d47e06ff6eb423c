//! Somebody who may invite makes a link that lets one person in, and mails it to them if they say who it is.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{Ctx, Error, Kernel, OrgId, Result, SystemTx, events::Event, permission::Role};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    super::{Acting, mails, permissions::MembersInvite},
    departments, limits, token_hash,
};
use crate::notifications;

/// What an invitation says.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewInvitation {
    /// The role the person will have; never above the inviter's own.
    pub role: Role,
    /// Whom it is meant for; only that address can accept it then, and it is mailed there.
    #[serde(default)]
    #[schema(example = "ada@example.com")]
    pub email: Option<String>,
    /// The department the person will belong to.
    #[serde(default)]
    pub department: Option<String>,
    /// The language of the mail; absent: the organisation's.
    #[serde(default)]
    #[schema(example = "en")]
    pub language: Option<String>,
}

/// A new invitation. The token is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// The role it gives.
    pub role: Role,
    /// Whom it is meant for.
    pub email: Option<String>,
    /// The department it leads to.
    pub department: Option<String>,
    /// The secret.
    pub token: String,
    /// The link to send.
    pub url: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// Whether the link was mailed; else whoever made it passes it on.
    pub mailed: bool,
}

/// An address as it is stored.
fn address(text: Option<&str>) -> Result<Option<String>> {
    let email = text
        .map(str::trim)
        .filter(|email| !email.is_empty())
        .map(str::to_lowercase);
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c);
    let bad = |email: &str| {
        email.len() > 254
            || email.contains(odd)
            || email
                .split_once('@')
                .is_none_or(|(name, host)| name.is_empty() || host.is_empty() || host.contains('@'))
    };
    if email.as_deref().is_some_and(bad) {
        return Err(Error::unprocessable(
            "tenancy.email_invalid",
            "This is no e-mail address.",
        ));
    }
    Ok(email)
}

/// Makes an invitation.
pub async fn invite(ctx: &Ctx, new: &NewInvitation) -> Result<Invitation> {
    let email = address(new.email.as_deref())?;
    let acting = Acting::begin::<MembersInvite>(ctx, "invitation").await?;
    let (org, env, tx, locked) = (acting.org(), acting.env(), acting.tx(), &acting.locked);
    let (id, token, now) = (env.new_id(), env.new_secret::<24>(), env.now());
    let expires_at = now + SignedDuration::from_hours(24 * ctx.kernel().config().auth.invitation_days);
    let actor = acting.member().await?;
    acting.may_give(new.role)?;
    limits::one_more_invitation(tx, org, locked, now).await?;
    let department = departments::named(tx, org, new.department.as_deref()).await?;
    if let Some(email) = &email {
        nobody_yet(tx, org, email, now).await?;
    }
    let language = new.language.as_ref().unwrap_or(&locked.language);
    let language = mails::LANGUAGES
        .into_iter()
        .find(|known| known == language)
        .unwrap_or(mails::LANGUAGES[0]);
    tx.execute(
        "insert into tenancy.invitations \
         (org_id, id, token_hash, role, email, department, language, created_by, created_at, expires_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            &org,
            &id,
            &token_hash(&token),
            &new.role.as_str(),
            &email,
            &department,
            &language,
            &actor.user,
            &now,
            &expires_at,
        ],
    )
    .await?;
    let url = link(ctx.kernel(), &token);
    let mailed = match &email {
        Some(email) => mail(&acting, id, language, email, &url).await?,
        None => false,
    };
    let invited = Event::new(
        "tenancy.member_invited",
        id,
        json!({ "role": new.role, "department": department }),
    );
    acting.emit(&invited).await?;
    acting.commit().await?;
    Ok(Invitation {
        id,
        role: new.role,
        email,
        department,
        token,
        url,
        expires_at,
        mailed,
    })
}

/// Where an invitation is taken up.
pub(super) fn link(kernel: &Kernel, token: &str) -> String {
    format!("{}/invite/{token}", kernel.config().server.site_url)
}

/// Puts the mail with a link into the queue; gives whether this installation sends mail at all.
///
/// Errors: as [`limits::one_more_mail`].
pub(super) async fn mail(acting: &Acting, id: Uuid, language: &str, email: &str, url: &str) -> Result<bool> {
    let (kernel, env, tx, org) = (acting.ctx().kernel(), acting.env(), acting.tx(), acting.org());
    let config = kernel.config();
    if !config.mail.mailbox && !config.mail.sends() {
        return Ok(false);
    }
    limits::one_more_mail(acting, email).await?;
    let days = config.auth.invitation_days;
    let message = mails::invitation(language, email, &acting.locked.name, url, days);
    notifications::queue(tx, env, &config.mail, &message).await?;
    tx.execute(
        "update tenancy.invitations set mailed_at = $3 where org_id = $1 and id = $2",
        &[&org, &id, &env.now()],
    )
    .await?;
    Ok(true)
}

/// An error if somebody with this address is a member or invited already.
async fn nobody_yet(tx: &SystemTx, org: OrgId, email: &str, now: Timestamp) -> Result<()> {
    let row = tx
        .query_one(
            "select exists (select from tenancy.memberships m join auth.users u on u.id = m.user_id \
                where m.org_id = $1 and u.email = $2), \
             exists (select from tenancy.invitations where org_id = $1 and email = $2 and accepted_at is null \
                and revoked_at is null and expires_at > $3)",
            &[&org, &email, &now],
        )
        .await?;
    if row.try_get(0)? {
        return Err(Error::conflict(
            "tenancy.already_member",
            "Somebody with this address is a member.",
        ));
    }
    if row.try_get(1)? {
        return Err(Error::conflict(
            "tenancy.already_invited",
            "Somebody with this address is invited.",
        )
        .hint("Send that invitation again, or withdraw it."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_are_kept_in_small_letters_and_what_is_none_is_refused() {
        assert_eq!(
            address(Some(" Ada@Example.COM ")).unwrap().as_deref(),
            Some("ada@example.com")
        );
        assert_eq!(address(Some("  ")).unwrap(), None);
        for bad in [
            "ada",
            "@",
            "ada@",
            "@example.com",
            "a b@example.com",
            "a@b@c",
            "a\r\nb@example.com",
            "<a@example.com>",
        ] {
            assert_eq!(
                address(Some(bad)).unwrap_err().code,
                "tenancy.email_invalid",
                "{bad}"
            );
        }
    }
}
