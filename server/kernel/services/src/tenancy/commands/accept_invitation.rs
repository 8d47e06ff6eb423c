//! A signed-in person takes up an invitation.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tenon_sdk::{Error, Kernel, OrgId, Result, SystemTx, UserId, events::Event, permission::Role};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{super::notices, Organization, limits, standing, token_hash};

/// What an invitation shows to whoever holds its link.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invited {
    /// The organisation's name.
    pub organization: OrganizationName,
    /// The role it gives.
    pub role: Role,
    /// Whom it is meant for.
    pub email: Option<String>,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// The name alone; more is not shown to people outside.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationName {
    /// The organisation's name.
    pub name: String,
}

struct Found {
    org: OrgId,
    slug: String,
    id: Uuid,
    department: Option<String>,
    shown: Invited,
}

/// An invitation is good as long as whoever made it could make it still: a member who is let in, may invite, and stands no lower than
/// what they promised.
async fn find(tx: &SystemTx, token: &str, now: Timestamp) -> Result<Found> {
    let row = tx
        .query_opt(
            "select i.org_id, o.slug, i.id, o.name, i.role, i.email, i.expires_at, i.department, r.member_role \
             from tenancy.invitations i join tenancy.organizations o on o.id = i.org_id \
             join tenancy.resolve(i.created_by, i.org_id, null) r on strpos(r.permissions, ',tenancy.members.invite,') > 0 \
             where i.token_hash = $1 and i.accepted_at is null and i.revoked_at is null and i.expires_at > $2 \
             and o.suspended_at is null and (o.delete_after is null or o.delete_after > $2)",
            &[&token_hash(token), &now],
        )
        .await?
        .ok_or_else(super::invitation_not_found)?;
    let role: String = row.try_get(4)?;
    let role = Role::parse(&role).ok_or_else(|| Error::internal("unknown role in invitation"))?;
    let maker: String = row.try_get(8)?;
    if Role::parse(&maker).is_none_or(|maker| maker < role) {
        return Err(super::invitation_not_found());
    }
    Ok(Found {
        org: row.try_get(0)?,
        slug: row.try_get(1)?,
        id: row.try_get(2)?,
        department: row.try_get(7)?,
        shown: Invited {
            organization: OrganizationName {
                name: row.try_get(3)?,
            },
            role,
            email: row.try_get(5)?,
            expires_at: row.try_get(6)?,
        },
    })
}

/// What the invitation of a link says.
pub async fn find_invitation(kernel: &Kernel, token: &str) -> Result<Invited> {
    let tx = SystemTx::begin(kernel.db(), "look at invitation").await?;
    let found = find(&tx, token, kernel.env().now()).await?;
    tx.commit().await?;
    Ok(found.shown)
}

/// Makes the person a member. Somebody who is one already keeps the role they have, and the link stays good for somebody else.
pub async fn accept_invitation(kernel: &Kernel, user: UserId, token: &str) -> Result<Organization> {
    let now = kernel.env().now();
    let tx = SystemTx::begin(kernel.db(), "accept invitation").await?;
    let org = find(&tx, token, now).await?.org;
    let locked = standing::lock(&tx, org).await?;
    // What it says counts as it is now that nobody else can change it.
    let found = find(&tx, token, now).await?;
    let own = super::address_of(&tx, user).await?;
    if let Some(email) = &found.shown.email
        && (*email != own.email || !own.confirmed)
    {
        return Err(Error::forbidden(
            "tenancy.invitation_for_another",
            "This invitation is meant for another e-mail address.",
        )
        .hint("Sign in with the address it was sent to."));
    }
    let answer = |role| Organization {
        id: org.0,
        slug: found.slug.clone(),
        name: found.shown.organization.name.clone(),
        role,
        custom_role: None,
        former_slugs: Vec::new(),
        logo: None,
    };
    match standing::find(&tx, org, user).await? {
        Some(member) if member.suspended => {
            return Err(Error::forbidden(
                "tenancy.member_suspended",
                "Your membership of this organisation is suspended.",
            )
            .hint("Ask an owner or admin of the organisation."));
        }
        Some(member) => {
            tx.commit().await?;
            return Ok(answer(member.role));
        }
        None => {}
    }
    limits::one_more_member(&tx, org, &locked).await?;
    let role = found.shown.role;
    tx.execute(
        "insert into tenancy.memberships (org_id, user_id, role, department) values ($1, $2, $3, $4)",
        &[&org, &user, &role.as_str(), &found.department],
    )
    .await?;
    tx.execute(
        "update tenancy.invitations set accepted_by = $3, accepted_at = $4 where org_id = $1 and id = $2",
        &[&org, &found.id, &user, &now],
    )
    .await?;
    let joined = Event::new("tenancy.member_joined", user.0, json!({ "role": role }));
    tx.emit(kernel.env(), org, Some(user), &joined).await?;
    let named = own.name.as_deref().unwrap_or(&own.email);
    let told = notices::member_joined(user, named, &found.shown.organization.name);
    tx.notify(kernel.env(), org, Some(user), &told).await?;
    tx.commit().await?;
    Ok(answer(role))
}
