//! Spaces: named groups of people inside an organisation, by name or by department, for apps to hang things on.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, SystemTx, TenantTx, UserId, events::Event, permission::Permission};
use utoipa::ToSchema;
use uuid::Uuid;

use super::permissions::SpacesManage;

/// Most spaces of an organisation that are in use.
const MAX_SPACES: i64 = 500;
/// Most people, or departments, of one space.
const MAX_MEMBERS: usize = 1000;

/// A space.
#[derive(Debug, Serialize, ToSchema)]
pub struct Space {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Departments whose members are all in it.
    pub departments: Vec<String>,
    /// People who are in it by name.
    pub members: Vec<Uuid>,
    /// Whether the caller is in it.
    pub mine: bool,
    /// Since when it is put away.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub archived_at: Option<Timestamp>,
}

/// What a space says.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SpaceText {
    /// Its name, unlike those of other spaces in use.
    #[schema(example = "Tender North", min_length = 1, max_length = 80)]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub description: String,
}

/// Who is in a space.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SpaceMembers {
    /// People by name.
    pub members: Vec<Uuid>,
    /// Departments whose members are all in it.
    #[serde(default)]
    pub departments: Vec<String>,
}

fn not_found() -> Error {
    Error::not_found("access.space_not_found", "There is no such space.")
}

fn check(text: &SpaceText) -> Result<(&str, &str)> {
    let (name, description) = (text.name.trim(), text.description.trim());
    if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
        return Err(Error::unprocessable(
            "access.name_invalid",
            "The name must have 1 to 80 characters.",
        ));
    }
    if description.chars().count() > 500 {
        return Err(Error::unprocessable(
            "access.description_too_long",
            "The description has at most 500 characters.",
        ));
    }
    Ok((name, description))
}

/// A name that another space has breaks a unique index.
fn named(error: Error) -> Error {
    error.if_taken(|| {
        Error::conflict("access.space_exists", "There is a space of this name.").hint("Choose another name.")
    })
}

/// All spaces, by name; those that are put away last.
pub async fn list(tx: &TenantTx) -> Result<Vec<Space>> {
    let rows = tx
        .query(
            "select s.id, s.name, s.description, s.departments, s.archived_at, \
             array(select p.user_id from tenancy.space_members p where p.org_id = $1 and p.space_id = s.id \
             order by p.user_id), \
             s.departments && array[nullif(current_setting('tenancy.department', true), '')] \
             from tenancy.spaces s where s.org_id = $1 order by s.archived_at is not null, lower(s.name), s.id limit 1000",
            &[&tx.org_id()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let members: Vec<Uuid> = row.try_get(5)?;
            let by_name = tx.user_id().is_some_and(|UserId(user)| members.contains(&user));
            Ok(Space {
                id: row.try_get(0)?,
                name: row.try_get(1)?,
                description: row.try_get(2)?,
                departments: row.try_get(3)?,
                members,
                mine: by_name || row.try_get::<_, bool>(6)?,
                archived_at: row.try_get(4)?,
            })
        })
        .collect()
}

/// The names of the spaces that a member of the organisation is in, by name or by their department.
pub(super) async fn names_of(tx: &TenantTx, user: UserId, department: Option<&str>) -> Result<Vec<String>> {
    let rows = tx
        .query(
            "select s.name from tenancy.spaces s where s.org_id = $1 and (exists (select from tenancy.space_members p \
             where p.org_id = $1 and p.space_id = s.id and p.user_id = $2) or $3 = any (s.departments)) \
             order by lower(s.name), s.id",
            &[&tx.org_id(), &user, &department],
        )
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Makes a space; gives its id.
pub async fn create(tx: &TenantTx, text: &SpaceText) -> Result<Uuid> {
    let (name, description) = check(text)?;
    let count: i64 = tx
        .query_one(
            "select count(*) from tenancy.spaces where org_id = $1 and archived_at is null",
            &[&tx.org_id()],
        )
        .await?
        .try_get(0)?;
    if count >= MAX_SPACES {
        return Err(Error::unprocessable(
            "access.too_many",
            format!("An organisation has at most {MAX_SPACES} spaces in use."),
        )
        .hint("Put one away that is not needed any more."));
    }
    let id = tx.env().new_id();
    tx.execute(
        "insert into tenancy.spaces (org_id, id, name, description, created_by, created_at) values ($1, $2, $3, $4, $5, $6)",
        &[&tx.org_id(), &id, &name, &description, &tx.user_id(), &tx.env().now()],
    )
    .await
    .map_err(named)?;
    tx.emit(&Event::new("access.space_created", id, json!({ "name": name })))
        .await?;
    Ok(id)
}

/// Gives a space another name and description.
pub async fn rename(tx: &TenantTx, id: Uuid, text: &SpaceText) -> Result<()> {
    let (name, description) = check(text)?;
    let updated = tx
        .execute(
            "update tenancy.spaces set name = $3, description = $4 where org_id = $1 and id = $2",
            &[&tx.org_id(), &id, &name, &description],
        )
        .await
        .map_err(named)?;
    if updated == 0 {
        return Err(not_found());
    }
    tx.emit(&Event::new("access.space_renamed", id, json!({ "name": name })))
        .await
}

/// Puts a space away, or takes it out again.
pub async fn archive(tx: &TenantTx, id: Uuid, archived: bool) -> Result<()> {
    let now = tx.env().now();
    let updated = tx
        .execute(
            "update tenancy.spaces set archived_at = case when $3 then coalesce(archived_at, $4) end \
             where org_id = $1 and id = $2",
            &[&tx.org_id(), &id, &archived, &now],
        )
        .await
        .map_err(named)?;
    if updated == 0 {
        return Err(not_found());
    }
    let kind = if archived {
        "access.space_archived"
    } else {
        "access.space_restored"
    };
    tx.emit(&Event::new(kind, id, json!({}))).await
}

/// The departments of these names, as they are written; people and departments are the kernel's to read.
///
/// Errors: `access.member_not_found` if somebody does not belong to the organisation; `tenancy.department_unknown`.
async fn known(ctx: &Ctx, people: &[Uuid], departments: &[&str]) -> Result<Vec<String>> {
    let tx = SystemTx::begin(ctx.kernel().db(), "members of a space").await?;
    let row = tx
        .query_one(
            "select exists (select from unnest($2::uuid[]) person where not exists ( \
             select from tenancy.memberships m where m.org_id = $1 and m.user_id = person)), \
             array(select d.name from tenancy.departments d where d.org_id = $1 \
             and lower(d.name) in (select lower(wanted) from unnest($3::text[]) wanted) order by d.name), \
             array(select wanted from unnest($3::text[]) wanted where not exists ( \
             select from tenancy.departments d where d.org_id = $1 and lower(d.name) = lower(wanted)))",
            &[&ctx.org_id(), &people, &departments],
        )
        .await?;
    tx.commit().await?;
    if row.try_get(0)? {
        return Err(Error::not_found(
            "access.member_not_found",
            "There is no such member.",
        ));
    }
    let unknown: Vec<String> = row.try_get(2)?;
    if let Some(name) = unknown.first() {
        return Err(
            Error::unprocessable("tenancy.department_unknown", "There is no such department.")
                .details(name.clone())
                .hint("Add it in the settings first."),
        );
    }
    Ok(row.try_get(1)?)
}

/// Says who is in a space, by name and by department.
pub async fn set_members(ctx: &Ctx, id: Uuid, new: &SpaceMembers) -> Result<()> {
    let members: BTreeSet<Uuid> = new.members.iter().copied().collect();
    let members: Vec<Uuid> = members.into_iter().collect();
    let departments: BTreeSet<&str> = new.departments.iter().map(|name| name.trim()).collect();
    let departments: Vec<&str> = departments.into_iter().filter(|name| !name.is_empty()).collect();
    let too_long = departments.iter().any(|name| name.chars().count() > 200);
    if members.len() > MAX_MEMBERS || departments.len() > MAX_MEMBERS || too_long {
        return Err(Error::unprocessable(
            "access.too_many",
            format!("A space has at most {MAX_MEMBERS} people and departments by name."),
        ));
    }
    let departments = known(ctx, &members, &departments).await?;
    let tx = ctx.begin().await?;
    // The request's body may have been long in coming.
    tx.require(SpacesManage::DEF.name)?;
    let updated = tx
        .execute(
            "update tenancy.spaces set departments = $3 where org_id = $1 and id = $2",
            &[&tx.org_id(), &id, &departments],
        )
        .await?;
    if updated == 0 {
        return Err(not_found());
    }
    tx.execute(
        "delete from tenancy.space_members where org_id = $1 and space_id = $2 and user_id <> all ($3)",
        &[&tx.org_id(), &id, &members],
    )
    .await?;
    tx.execute(
        "insert into tenancy.space_members (org_id, space_id, user_id) select $1, $2, person from unnest($3::uuid[]) person \
         on conflict do nothing",
        &[&tx.org_id(), &id, &members],
    )
    .await?;
    let payload = json!({ "people": members.len(), "departments": departments });
    tx.emit(&Event::new("access.space_members_changed", id, payload))
        .await?;
    tx.commit().await
}
