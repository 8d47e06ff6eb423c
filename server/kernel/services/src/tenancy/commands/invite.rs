//! Somebody who may invite makes a link that lets one person in.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, SystemTx, events::Event, permission::Role};
use utoipa::ToSchema;
use uuid::Uuid;

use super::token_hash;

/// What an invitation says.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewInvitation {
    /// The role the person will have; never above the inviter's own.
    pub role: Role,
    /// Whom it is meant for; only that address can accept it then.
    #[serde(default)]
    #[schema(example = "ada@example.com")]
    pub email: Option<String>,
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
    /// The secret.
    pub token: String,
    /// The link to send.
    pub url: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// Makes an invitation.
pub async fn invite(ctx: &Ctx, new: &NewInvitation) -> Result<Invitation> {
    let own = ctx
        .resolved()
        .and_then(|resolved| Role::parse(resolved.role.as_deref()?));
    if own.is_none_or(|own| new.role > own) {
        return Err(Error::forbidden(
            "tenancy.role_above_own",
            "You cannot give a role above your own.",
        ));
    }
    let email = new
        .email
        .as_deref()
        .map(str::trim)
        .filter(|email| !email.is_empty())
        .map(str::to_lowercase);
    if email
        .as_deref()
        .is_some_and(|email| !email.contains('@') || email.len() > 254)
    {
        return Err(Error::unprocessable(
            "tenancy.email_invalid",
            "This is no e-mail address.",
        ));
    }
    let (env, config) = (ctx.kernel().env(), ctx.kernel().config());
    let (id, token) = (env.new_id(), env.new_secret::<24>());
    let expires_at = env.now() + SignedDuration::from_hours(24 * config.auth.invitation_days);
    let tx = SystemTx::begin(ctx.kernel().db(), "invitation").await?;
    tx.execute(
        "insert into tenancy.invitations (org_id, id, token_hash, role, email, created_by, expires_at) \
         values ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &ctx.org_id(),
            &id,
            &token_hash(&token),
            &new.role.as_str(),
            &email,
            &ctx.user_id(),
            &expires_at,
        ],
    )
    .await?;
    let invited = Event::new("tenancy.member_invited", id, json!({ "role": new.role }));
    tx.emit(env, ctx.org_id(), ctx.user_id(), &invited).await?;
    tx.commit().await?;
    let url = format!("{}/invite/{token}", config.server.site_url);
    Ok(Invitation {
        id,
        role: new.role,
        email,
        token,
        url,
        expires_at,
    })
}
