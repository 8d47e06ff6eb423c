//! A person founds an organisation and becomes its owner.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{Error, Kernel, OrgId, Result, SystemTx, UserId, events::Event, permission::Role};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a new organisation brings.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewOrganization {
    /// Its name; the address is made from it.
    #[schema(example = "Harbour Works", min_length = 1, max_length = 200)]
    pub name: String,
}

/// An organisation as one of its members sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Organization {
    /// Its id.
    pub id: Uuid,
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The member's role in it.
    pub role: Role,
    /// Names it had in addresses before; links with them are meant for it.
    pub former_slugs: Vec<String>,
    /// The tag of its logo, if it has one.
    pub logo: Option<String>,
}

/// Founds an organisation.
pub async fn create_organization(
    kernel: &Kernel,
    owner: UserId,
    new: &NewOrganization,
) -> Result<Organization> {
    let name = super::names::organization(&new.name)?;
    let tx = SystemTx::begin(kernel.db(), "new organisation").await?;
    super::address_of(&tx, owner).await?;
    let id = OrgId(kernel.env().new_id());
    let slug = insert(kernel, &tx, id, name, owner).await?;
    add(&tx, id, owner, Role::Owner).await?;
    let created = Event::new(
        "tenancy.organization_created",
        id.0,
        json!({ "name": name, "slug": slug }),
    );
    tx.emit(kernel.env(), id, Some(owner), &created).await?;
    tx.commit().await?;
    Ok(Organization {
        id: id.0,
        slug,
        name: name.to_owned(),
        role: Role::Owner,
        former_slugs: Vec::new(),
        logo: None,
    })
}

/// Inserts under the first free slug: `harbour-works`, `harbour-works-2` …
async fn insert(kernel: &Kernel, tx: &SystemTx, id: OrgId, name: &str, owner: UserId) -> Result<String> {
    let base = slug(name);
    for number in 1..1000 {
        let slug = if number == 1 {
            base.clone()
        } else {
            format!("{base}-{number}")
        };
        let inserted = tx
            .execute(
                "insert into tenancy.organizations (id, slug, name, created_by, plan) select $1, $2, $3, $4, $5 \
                 where not exists (select from tenancy.former_slugs where slug = $2) on conflict (slug) do nothing",
                &[&id, &slug, &name, &owner, &kernel.config().tenancy.default_plan],
            )
            .await?;
        if inserted == 1 {
            return Ok(slug);
        }
    }
    Err(
        Error::conflict("tenancy.slug_taken", "Too many organisations have this name.")
            .hint("Choose another name."),
    )
}

async fn add(tx: &SystemTx, org: OrgId, user: UserId, role: Role) -> Result<()> {
    tx.execute(
        "insert into tenancy.memberships (org_id, user_id, role) values ($1, $2, $3) \
         on conflict (org_id, user_id) do update set role = excluded.role",
        &[&org, &user, &role.as_str()],
    )
    .await
    .map(drop)
}

/// Makes a person a member with a role; for demo data and tests.
pub async fn add_member(kernel: &Kernel, org: OrgId, user: UserId, role: Role) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "new member").await?;
    add(&tx, org, user, role).await?;
    tx.commit().await
}

/// A name as it can stand in an address.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'ä' => slug.push_str("ae"),
            'ö' => slug.push_str("oe"),
            'ü' => slug.push_str("ue"),
            'ß' => slug.push_str("ss"),
            letter if letter.is_ascii_alphanumeric() => slug.push(letter),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.truncate(50);
    let slug = slug.trim_matches('-');
    if slug.is_empty() {
        "organisation".to_owned()
    } else {
        slug.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_slug_is_made_of_the_letters_an_address_can_hold() {
        assert_eq!(slug("Harbour Works Ltd."), "harbour-works-ltd");
        assert_eq!(slug("  Müller & Söhne  "), "mueller-soehne");
        assert_eq!(slug("日本"), "organisation");
        assert_eq!(slug("'; drop table --"), "drop-table");
        assert!(slug(&"x-".repeat(200)).len() <= 50);
    }
}
