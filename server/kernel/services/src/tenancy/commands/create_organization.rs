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
    /// The member's built-in role in it.
    pub role: Role,
    /// The name of the role of the organisation's own that counts instead of it, if one does.
    pub custom_role: Option<String>,
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
    not_too_many(kernel, &tx, owner).await?;
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
        custom_role: None,
        former_slugs: Vec::new(),
        logo: None,
    })
}

/// An error if somebody has founded as many as one person may.
async fn not_too_many(kernel: &Kernel, tx: &SystemTx, founder: UserId) -> Result<()> {
    let most = kernel.config().tenancy.organizations_per_person;
    if most <= 0 {
        return Ok(());
    }
    // One after the other, so that the count holds.
    tx.query_one(
        "select from auth.users where id = $1 for no key update",
        &[&founder],
    )
    .await?;
    let count: i64 = tx
        .query_one(
            "select count(*) from tenancy.organizations where created_by = $1",
            &[&founder],
        )
        .await?
        .try_get(0)?;
    if count < most {
        return Ok(());
    }
    Err(Error::conflict(
        "tenancy.too_many_organizations",
        format!("A person founds at most {most} organisations here."),
    )
    .hint("Delete one that is not needed any more, or ask those who run this installation."))
}

/// How many numbers are tried behind a name that is taken.
const NUMBERS: i32 = 1000;

/// Inserts under the first free slug: `harbour-works`, `harbour-works-2` …
async fn insert(kernel: &Kernel, tx: &SystemTx, id: OrgId, name: &str, owner: UserId) -> Result<String> {
    let base = slug(name);
    // Whoever else takes the same one in this moment is first; then the next is tried.
    for _ in 0..5 {
        let inserted = tx
            .query_opt(
                "insert into tenancy.organizations (id, slug, name, created_by, plan) \
                 select $1, s.slug, $3, $4, $5 from generate_series(1, $6) number \
                 cross join lateral (select case number when 1 then $2 else $2 || '-' || number end as slug) s \
                 where not exists (select from tenancy.former_slugs f where f.slug = s.slug) \
                 and not exists (select from tenancy.organizations o where o.slug = s.slug) \
                 order by number limit 1 on conflict (slug) do nothing returning slug",
                &[
                    &id,
                    &base,
                    &name,
                    &owner,
                    &kernel.config().tenancy.default_plan,
                    &NUMBERS,
                ],
            )
            .await?;
        if let Some(row) = inserted {
            return Ok(row.try_get(0)?);
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
    let mut slug = crate::words::hyphenated(name);
    slug.truncate(50);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "organisation".to_owned()
    } else if Uuid::try_parse(slug).is_ok() {
        // An id is looked for as one.
        format!("organisation-{slug}")
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
        for id in [
            "550e8400-e29b-41d4-a716-446655440000",
            "550E8400E29B41D4A716446655440000",
        ] {
            assert!(slug(id).starts_with("organisation-550e8400"), "{id}");
        }
    }
}
