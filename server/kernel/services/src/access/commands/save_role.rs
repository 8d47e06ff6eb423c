//! Somebody writes a role of the organisation's own.

use serde::Deserialize;
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, events::Event, permission::Role};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::{model, permissions::RolesManage};
use crate::tenancy::{Acting, Feature, included};

/// Most roles of one organisation.
const MAX_ROLES: i64 = 100;

/// What a role says.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RoleText {
    /// Its name, unlike those of the organisation's other roles.
    #[schema(example = "Buyer", min_length = 1, max_length = 80)]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub description: String,
    /// Permissions and patterns that it grants.
    #[schema(example = json!(["purchasing.*", "*.runs.read"]))]
    pub includes: Vec<String>,
    /// Permissions and patterns that it grants in no case.
    #[serde(default)]
    pub excludes: Vec<String>,
}

struct Checked {
    name: String,
    description: String,
    granted: String,
    rank: Role,
}

fn check(acting: &Acting, text: &RoleText) -> Result<Checked> {
    included(&acting.locked, Feature::CustomRoles)?;
    let name = super::name(&text.name)?.to_owned();
    let description = text.description.trim().to_owned();
    if description.chars().count() > 500 {
        return Err(Error::unprocessable(
            "access.description_too_long",
            "The description has at most 500 characters.",
        ));
    }
    let granted = super::granted(acting.ctx().kernel(), &text.includes, &text.excludes)?;
    super::require(acting, granted.iter().copied())?;
    Ok(Checked {
        name,
        description,
        granted: model::join(granted),
        // What is added by later versions is taken up as far as a role has it that its writer holds as a whole.
        rank: acting.gives().unwrap_or(Role::Viewer),
    })
}

fn taken() -> Error {
    Error::conflict("access.role_exists", "There is a role of this name.").hint("Choose another name.")
}

/// Makes a role; gives its id.
pub async fn create_role(ctx: &Ctx, text: &RoleText) -> Result<Uuid> {
    let acting = Acting::begin::<RolesManage>(ctx, "new role").await?;
    let (env, org, tx) = (acting.env(), acting.org(), acting.tx());
    let checked = check(&acting, text)?;
    let key = key(&checked.name);
    if Role::parse(&key).is_some() {
        return Err(taken());
    }
    let count: i64 = tx
        .query_one("select count(*) from tenancy.roles where org_id = $1", &[&org])
        .await?
        .try_get(0)?;
    if count >= MAX_ROLES {
        return Err(Error::unprocessable(
            "access.too_many",
            format!("An organisation has at most {MAX_ROLES} roles of its own."),
        ));
    }
    let (id, now) = (env.new_id(), env.now());
    let inserted = tx
        .execute(
            "insert into tenancy.roles (org_id, id, key, name, description, includes, excludes, ceiling, granted, permissions, \
             created_by, created_at, updated_at) \
             select $1, $2, $3, $4, $5, $6, $7, $8, $9, tenancy.without_apps($9, o.disabled_apps), $10, $11, $11 \
             from tenancy.organizations o where o.id = $1 on conflict (org_id, key) do nothing",
            &[
                &org,
                &id,
                &key,
                &checked.name,
                &checked.description,
                &text.includes,
                &text.excludes,
                &checked.rank.as_str(),
                &checked.granted,
                &ctx.user_id(),
                &now,
            ],
        )
        .await?;
    if inserted == 0 {
        return Err(taken());
    }
    let payload = json!({ "name": checked.name, "includes": text.includes, "excludes": text.excludes });
    acting
        .emit(&Event::new("access.role_created", id, payload))
        .await?;
    acting.commit().await?;
    Ok(id)
}

/// Writes a role anew; those who have it have what it grants from their next request on.
pub async fn update_role(ctx: &Ctx, id: Uuid, text: &RoleText) -> Result<()> {
    let acting = Acting::begin::<RolesManage>(ctx, "role").await?;
    let (env, org, tx) = (acting.env(), acting.org(), acting.tx());
    let checked = check(&acting, text)?;
    let key = key(&checked.name);
    let other = tx
        .query_opt(
            "select from tenancy.roles where org_id = $1 and key = $2 and id <> $3",
            &[&org, &key, &id],
        )
        .await?;
    if other.is_some() || Role::parse(&key).is_some() {
        return Err(taken());
    }
    let updated = tx
        .execute(
            "update tenancy.roles r set key = $3, name = $4, description = $5, includes = $6, excludes = $7, ceiling = $8, \
             granted = $9, permissions = tenancy.without_apps($9, o.disabled_apps), updated_at = $10 \
             from tenancy.organizations o where o.id = r.org_id and r.org_id = $1 and r.id = $2",
            &[
                &org,
                &id,
                &key,
                &checked.name,
                &checked.description,
                &text.includes,
                &text.excludes,
                &checked.rank.as_str(),
                &checked.granted,
                &env.now(),
            ],
        )
        .await?;
    if updated == 0 {
        return Err(not_found());
    }
    let payload = json!({ "name": checked.name, "includes": text.includes, "excludes": text.excludes });
    acting
        .emit(&Event::new("access.role_changed", id, payload))
        .await?;
    acting.commit().await
}

pub(super) fn not_found() -> Error {
    Error::not_found("access.role_not_found", "There is no such role.")
}

/// A name as a word: `Head of Buying` is `head-of-buying`.
fn key(name: &str) -> String {
    let words = crate::words::hyphenated(name);
    let mut key = words
        .trim_start_matches(|c: char| !c.is_ascii_lowercase())
        .to_owned();
    key.truncate(40);
    match key.trim_end_matches('-') {
        "" => {
            // Letters of other scripts: as different as the names are.
            let hash = <sha2::Sha256 as sha2::Digest>::digest(name.as_bytes());
            format!("role-{}", tenon_sdk::hex(&hash[..6]))
        }
        key => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn a_key_is_a_word_that_says_the_name() {
        assert_eq!(key("Head of Buying!"), "head-of-buying");
        assert_eq!(key("Prüfer 2"), "pruefer-2");
        assert_eq!(key("Owner"), "owner");
        assert_eq!(key("2 eyes"), "eyes");
        assert!(key("購買").starts_with("role-") && key("購買") != key("会計"));
        assert!(key(&"x".repeat(80)).len() <= 40);
    }
}
