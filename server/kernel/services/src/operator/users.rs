//! People as those who run the installation see them, and shutting somebody out.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{Error, Kernel, Result};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Operator,
    search::{PAGE, Search},
};
use crate::identity::audit;

/// A ban lasts this many days at most; longer is for good.
const FOR_GOOD_DAYS: i64 = 36_500;

/// A person in the console.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserRow {
    pub id: Uuid,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// Whether they run the installation, too.
    pub operator: bool,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sign_in_at: Option<Timestamp>,
    /// Until when they are shut out.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub banned_until: Option<Timestamp>,
    /// Where they belong to.
    pub organizations: Vec<UserOrganization>,
}

/// An organisation of a person.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UserOrganization {
    pub id: Uuid,
    pub name: String,
    pub role: String,
}

/// A page of people.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserPage {
    /// How many there are in all.
    pub total: i64,
    /// How many fill a page.
    pub page_size: i64,
    /// Those of this page, newest first.
    pub users: Vec<UserRow>,
}

/// People that a search finds; erased accounts and visitors' are left out.
pub async fn list(kernel: &Kernel, search: &Search) -> Result<UserPage> {
    let (total, rows) = search
        .find(
            kernel,
            "operator: people",
            "u.id, u.raw_user_meta_data ->> 'name', u.email, u.phone, u.is_super_admin, u.created_at, u.last_sign_in_at, \
             u.banned_until, \
             coalesce((select jsonb_agg(jsonb_build_object('id', o.id, 'name', o.name, 'role', m.role) order by o.name) \
             from tenancy.memberships m join tenancy.organizations o on o.id = m.org_id where m.user_id = u.id), '[]')",
            "auth.users u",
            "u.deleted_at is null and not u.is_anonymous \
             and (u.email ilike $1 or u.phone ilike $1 or u.raw_user_meta_data ->> 'name' ilike $1 or u.id = $2)",
        )
        .await?;
    let now = kernel.env().now();
    let users = rows.iter().map(|row| {
        Ok(UserRow {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            email: row.try_get(2)?,
            phone: row.try_get(3)?,
            operator: row.try_get(4)?,
            created_at: row.try_get(5)?,
            last_sign_in_at: row.try_get(6)?,
            banned_until: row
                .try_get::<_, Option<Timestamp>>(7)?
                .filter(|until| *until > now),
            organizations: serde_json::from_value(row.try_get(8)?).map_err(Error::internal)?,
        })
    });
    Ok(UserPage {
        total,
        page_size: PAGE,
        users: users.collect::<Result<_>>()?,
    })
}

/// For how long, and why.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Ban {
    /// Days, at most 36,500; without, for good.
    #[serde(default)]
    pub days: Option<u32>,
    /// Why; kept in the log of what was done about accounts.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

fn not_found() -> Error {
    Error::not_found("operator.user_not_found", "There is no such person.")
}

/// A reason as people give it.
pub(super) fn reason(text: &str) -> Result<&str> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 500 || text.contains('\0') {
        return Err(Error::unprocessable(
            "operator.reason_required",
            "Say why, in 1 to 500 characters.",
        ));
    }
    Ok(text)
}

/// Shuts a person out: their sessions end, they are out of all organisations at once, and sign in no more until then.
pub async fn ban(kernel: &Kernel, operator: &Operator, user: Uuid, ban: &Ban) -> Result<()> {
    let reason = reason(&ban.reason)?;
    if operator.user.0 == user {
        return Err(Error::unprocessable(
            "operator.not_oneself",
            "You cannot shut yourself out.",
        ));
    }
    let env = kernel.env();
    let days = match ban.days {
        Some(0) => {
            return Err(Error::unprocessable(
                "operator.time_invalid",
                "A ban lasts at least a day.",
            ));
        }
        Some(days) => i64::from(days).min(FOR_GOOD_DAYS),
        None => FOR_GOOD_DAYS,
    };
    let until = env.now() + SignedDuration::from_hours(24 * days);
    let tx = operator.begin(kernel, "operator: ban").await?;
    let banned = tx
        .execute(
            "update auth.users set banned_until = $2 where id = $1 and deleted_at is null",
            &[&user, &until],
        )
        .await?;
    if banned == 0 {
        return Err(not_found());
    }
    tx.execute("delete from auth.sessions where user_id = $1", &[&user])
        .await?;
    let traits = json!({ "user_id": user, "reason": reason, "until": until });
    audit::record(&tx, env, Some(operator.user.0), "user_banned", traits).await?;
    tx.commit().await
}

/// Lets a person in again.
pub async fn unban(kernel: &Kernel, operator: &Operator, user: Uuid) -> Result<()> {
    let tx = operator.begin(kernel, "operator: unban").await?;
    let let_in = tx
        .execute(
            "update auth.users set banned_until = null where id = $1 and deleted_at is null",
            &[&user],
        )
        .await?;
    if let_in == 0 {
        return Err(not_found());
    }
    let traits = json!({ "user_id": user });
    audit::record(&tx, kernel.env(), Some(operator.user.0), "user_unbanned", traits).await?;
    tx.commit().await
}
