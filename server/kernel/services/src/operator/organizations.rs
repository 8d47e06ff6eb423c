//! Organisations as those who run the installation see them: names, numbers and plans, nothing of what is in them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tenon_sdk::{Error, Kernel, OrgId, Result, SystemTx, events::Event};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Operator, plans,
    search::{PAGE, Search},
    users::reason,
};
use crate::{identity::audit, tenancy::Feature};

/// An organisation in the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationRow {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub plan: String,
    pub members: i64,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub suspended_at: Option<Timestamp>,
    /// When it will be deleted, if its owner asked for that.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delete_after: Option<Timestamp>,
}

/// A page of organisations.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationPage {
    /// How many there are in all.
    pub total: i64,
    /// How many fill a page.
    pub page_size: i64,
    /// Those of this page, newest first.
    pub organizations: Vec<OrganizationRow>,
}

/// A member in the console.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationMember {
    pub id: Uuid,
    pub name: Option<String>,
    pub email: Option<String>,
    /// The built-in role.
    pub role: String,
    /// The name of the role of the organisation's own, if they have one.
    pub custom_role: Option<String>,
    /// Whether that one counts alone.
    pub custom_only: bool,
    pub suspended: bool,
    pub banned: bool,
}

/// An organisation by itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationDetail {
    /// As in the list.
    pub organization: OrganizationRow,
    /// Features that are switched on or off for it, whatever its plan says.
    pub flags: Map<String, Value>,
    /// Apps it has switched off.
    pub disabled_apps: Vec<String>,
    /// Whether it asks for a second factor.
    pub require_second_factor: bool,
    /// Its members, owners first, at most 1,000.
    pub members: Vec<OrganizationMember>,
}

const COLUMNS: &str = "o.id, o.slug, o.name, o.plan, (select count(*) from tenancy.memberships m where m.org_id = o.id), \
                       o.created_at, o.suspended_at, o.delete_after";

fn read(row: &tokio_postgres::Row) -> Result<OrganizationRow> {
    Ok(OrganizationRow {
        id: row.try_get(0)?,
        slug: row.try_get(1)?,
        name: row.try_get(2)?,
        plan: row.try_get(3)?,
        members: row.try_get(4)?,
        created_at: row.try_get(5)?,
        suspended_at: row.try_get(6)?,
        delete_after: row.try_get(7)?,
    })
}

fn not_found() -> Error {
    Error::not_found(
        "operator.organization_not_found",
        "There is no such organisation.",
    )
}

/// Organisations that a search finds.
pub async fn list(kernel: &Kernel, search: &Search) -> Result<OrganizationPage> {
    let (total, rows) = search
        .find(
            kernel,
            "operator: organisations",
            COLUMNS,
            "tenancy.organizations o",
            "(o.name ilike $1 or o.slug ilike $1 or o.id = $2)",
        )
        .await?;
    Ok(OrganizationPage {
        total,
        page_size: PAGE,
        organizations: rows.iter().map(read).collect::<Result<_>>()?,
    })
}

/// One organisation with its members.
pub async fn find(kernel: &Kernel, id: Uuid) -> Result<OrganizationDetail> {
    let tx = SystemTx::begin(kernel.db(), "operator: organisation").await?;
    let row = tx
        .query_opt(
            &format!(
                "select {COLUMNS}, o.settings -> 'flags', o.disabled_apps, o.require_second_factor \
                 from tenancy.organizations o where o.id = $1"
            ),
            &[&id],
        )
        .await?
        .ok_or_else(not_found)?;
    let rows = tx
        .query(
            "select u.id, u.raw_user_meta_data ->> 'name', u.email, m.role, m.suspended_at is not null, \
             coalesce(m.barred_until > $2, false), c.name, m.custom_only from tenancy.memberships m join auth.users u on u.id = m.user_id \
             left join tenancy.roles c on c.org_id = m.org_id and c.id = m.custom_role \
             where m.org_id = $1 order by m.role = 'owner' desc, m.created_at, u.id limit 1000",
            &[&id, &kernel.env().now()],
        )
        .await?;
    tx.commit().await?;
    let flags: Option<Value> = row.try_get(8)?;
    let members = rows.iter().map(|row| {
        Ok(OrganizationMember {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            email: row.try_get(2)?,
            role: row.try_get(3)?,
            suspended: row.try_get(4)?,
            banned: row.try_get(5)?,
            custom_role: row.try_get(6)?,
            custom_only: row.try_get(7)?,
        })
    });
    Ok(OrganizationDetail {
        organization: read(&row)?,
        flags: match flags {
            Some(Value::Object(flags)) => flags,
            _ => Map::new(),
        },
        disabled_apps: row.try_get(9)?,
        require_second_factor: row.try_get(10)?,
        members: members.collect::<Result<_>>()?,
    })
}

/// What is to be changed; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationChange {
    /// Another plan.
    #[serde(default)]
    pub plan: Option<String>,
    /// Features to be switched on or off; null lets the plan decide again.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub flags: Option<Map<String, Value>>,
    /// Whether nobody is let in.
    #[serde(default)]
    pub suspended: Option<bool>,
    /// Why; a must for suspending. The organisation's owners can read it.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// Changes plan, features or whether anybody is let in; each change is an event that the organisation's owners can read, and stands in
/// the log of the installation.
pub async fn change(
    kernel: &Kernel,
    operator: &Operator,
    id: Uuid,
    change: &OrganizationChange,
) -> Result<()> {
    let (env, org) = (kernel.env(), OrgId(id));
    let why = match (&change.reason, change.suspended) {
        (Some(text), _) => Some(reason(text)?),
        (None, Some(true)) => Some(reason("")?),
        (None, _) => None,
    };
    let tx = operator.begin(kernel, "operator: change organisation").await?;
    let row = tx
        .query_opt(
            "select plan, settings -> 'flags', suspended_at from tenancy.organizations where id = $1 for update",
            &[&id],
        )
        .await?
        .ok_or_else(not_found)?;
    let mut told = Vec::new();
    if let Some(plan) = &change.plan {
        let before: String = row.try_get(0)?;
        if !plans::is_known(&tx, plan).await? {
            return Err(Error::unprocessable(
                "operator.plan_unknown",
                "There is no such plan.",
            ));
        }
        if *plan != before {
            tx.execute(
                "update tenancy.organizations set plan = $2 where id = $1",
                &[&id, plan],
            )
            .await?;
            told.push(("operator.plan_changed", json!({ "from": before, "to": plan })));
        }
    }
    if let Some(changes) = &change.flags {
        let before: Option<Value> = row.try_get(1)?;
        let mut flags = match before {
            Some(Value::Object(flags)) => flags,
            _ => Map::new(),
        };
        for (name, wanted) in changes {
            match wanted {
                _ if !known_flag(name) => {
                    return Err(
                        Error::unprocessable("operator.flag_unknown", "There is no such feature.")
                            .details(name.chars().take(80).collect::<String>()),
                    );
                }
                Value::Null => drop(flags.remove(name)),
                Value::Bool(_) => drop(flags.insert(name.clone(), wanted.clone())),
                _ => {
                    return Err(Error::unprocessable(
                        "operator.flag_unknown",
                        "A feature is true, false or null.",
                    ));
                }
            }
        }
        let flags = Value::Object(flags);
        tx.execute(
            "update tenancy.organizations set settings = jsonb_set(settings, '{flags}', $2) where id = $1",
            &[&id, &flags],
        )
        .await?;
        told.push(("operator.flags_changed", json!({ "flags": flags })));
    }
    if let Some(suspended) = change.suspended {
        let before: Option<Timestamp> = row.try_get(2)?;
        if suspended != before.is_some() {
            let since = suspended.then(|| env.now());
            tx.execute(
                "update tenancy.organizations set suspended_at = $2 where id = $1",
                &[&id, &since],
            )
            .await?;
            let kind = if suspended {
                "operator.organization_suspended"
            } else {
                "operator.organization_restored"
            };
            told.push((kind, json!({})));
        }
    }
    for (kind, mut payload) in told {
        if let Some(why) = why {
            payload["reason"] = json!(why);
        }
        let action = kind.replace('.', "_");
        let traits = json!({ "organization_id": id, "change": payload });
        audit::record(&tx, env, Some(operator.user.0), &action, traits).await?;
        tx.emit(env, org, Some(operator.user), &Event::new(kind, id, payload))
            .await?;
    }
    tx.commit().await
}

fn known_flag(flag: &str) -> bool {
    Feature::ALL.iter().any(|feature| feature.as_str() == flag)
}
