//! Somebody writes a role of the organisation's own.

use serde::Deserialize;
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, SystemTx, events::Event, permission::Role};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{super::model, Reach};
use crate::tenancy::{Feature, require_feature};

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

async fn check(ctx: &Ctx, tx: &SystemTx, text: &RoleText) -> Result<Checked> {
    let name = super::name(&text.name)?.to_owned();
    let description = text.description.trim().to_owned();
    if description.chars().count() > 500 {
        return Err(Error::unprocessable(
            "access.description_too_long",
            "The description has at most 500 characters.",
        ));
    }
    let granted = super::granted(ctx.kernel(), &text.includes, &text.excludes)?;
    let reach = Reach::of(ctx, tx).await?;
    reach.require(granted.iter().copied())?;
    Ok(Checked {
        name,
        description,
        granted: model::join(granted),
        rank: reach.rank,
    })
}

fn taken() -> Error {
    Error::conflict("access.role_exists", "There is a role of this name.").hint("Choose another name.")
}

/// Makes a role; gives its id.
pub async fn create_role(ctx: &Ctx, text: &RoleText) -> Result<Uuid> {
    let (env, org) = (ctx.kernel().env(), ctx.org_id());
    let tx = SystemTx::begin(ctx.kernel().db(), "new role").await?;
    let checked = check(ctx, &tx, text).await?;
    let key = key(&checked.name);
    if Role::parse(&key).is_some() {
        return Err(taken());
    }
    // It locks the organisation, too: otherwise the count below would not hold.
    require_feature(&tx, org, Feature::CustomRoles).await?;
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
    tx.emit(
        env,
        org,
        ctx.user_id(),
        &Event::new("access.role_created", id, payload),
    )
    .await?;
    tx.commit().await?;
    Ok(id)
}

/// Writes a role anew; those who have it have what it grants from their next request on.
pub async fn update_role(ctx: &Ctx, id: Uuid, text: &RoleText) -> Result<()> {
    let (env, org) = (ctx.kernel().env(), ctx.org_id());
    let tx = SystemTx::begin(ctx.kernel().db(), "role").await?;
    let checked = check(ctx, &tx, text).await?;
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
    tx.emit(
        env,
        org,
        ctx.user_id(),
        &Event::new("access.role_changed", id, payload),
    )
    .await?;
    tx.commit().await
}

pub(super) fn not_found() -> Error {
    Error::not_found("access.role_not_found", "There is no such role.")
}

/// A name as a word: `Head of Buying` is `head-of-buying`.
fn key(name: &str) -> String {
    let mut key = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'ä' => key.push_str("ae"),
            'ö' => key.push_str("oe"),
            'ü' => key.push_str("ue"),
            'ß' => key.push_str("ss"),
            letter if letter.is_ascii_lowercase() || letter.is_ascii_digit() && !key.is_empty() => {
                key.push(letter);
            }
            _ if !key.is_empty() && !key.ends_with('-') => key.push('-'),
            _ => {}
        }
    }
    key.truncate(40);
    match key.trim_end_matches('-') {
        "" => {
            // Letters of other scripts: as different as the names are.
            let hash = <sha2::Sha256 as sha2::Digest>::digest(name.as_bytes());
            hash.iter()
                .take(6)
                .fold("role-".to_owned(), |text, byte| format!("{text}{byte:02x}"))
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
