//! Who can do what in an organisation, and why: members by their roles, keys by their scopes, tokens of members by what their
//! owners may, operators of the installation while they help.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenon_sdk::{Ctx, Error, Result, SystemTx, permission::Role};
use tokio_postgres::Row;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::model;

/// Most members looked at.
const MAX_MEMBERS: i64 = 10_000;
/// Principals in one answer.
const PAGE: usize = 50;

/// What to look for.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct Filter {
    /// Part of a name or address.
    #[serde(default)]
    pub person: String,
    /// A permission, or a pattern such as `purchasing.*`.
    #[serde(default)]
    pub permission: String,
    /// Which page, from 1.
    #[serde(default)]
    pub page: Option<usize>,
}

/// What sort of principal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A person who belongs to the organisation.
    Member,
    /// A key of the organisation.
    Key,
    /// A personal token of a member.
    Token,
    /// An operator of the installation who is in to help.
    Operator,
}

/// Where permissions come from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reason {
    /// `role` (built-in), `custom_role`, `scopes` or `support`.
    pub source: &'static str,
    /// Which role; for scopes, the token's or key's own.
    pub name: String,
    /// What comes from it.
    pub permissions: Vec<String>,
}

/// Somebody, or something, that can act in the organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Principal {
    /// What sort it is.
    pub kind: PrincipalKind,
    /// Its id.
    pub id: Uuid,
    /// Of a person their name or address, of a key its name, of a token its first letters.
    pub name: String,
    /// Of a person, or the owner of a token.
    pub email: Option<String>,
    /// `active`, or why it can do nothing now: `suspended`, `banned`.
    pub state: &'static str,
    /// Until when, if it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Permissions by where they come from; one may come from several.
    pub reasons: Vec<Reason>,
}

/// A page of the report.
#[derive(Debug, Serialize, ToSchema)]
pub struct Review {
    /// How many there are in all.
    pub total: usize,
    /// How many fill a page.
    pub page_size: usize,
    /// Those of this page.
    pub principals: Vec<Principal>,
}

struct Sources {
    built_in: BTreeMap<String, Vec<String>>,
    custom: BTreeMap<Uuid, (String, Vec<String>)>,
}

impl Sources {
    async fn read(ctx: &Ctx, tx: &SystemTx) -> Result<Self> {
        let org = ctx.org_id();
        let rows = tx
            .query(
                "select v.role, v.permissions from tenancy.role_variants v \
                 join tenancy.organizations o on o.disabled_apps = v.disabled_apps where o.id = $1",
                &[&org],
            )
            .await?;
        let mut built_in = BTreeMap::new();
        for row in &rows {
            built_in.insert(row.try_get(0)?, listed(row, 1)?);
        }
        let rows = tx
            .query(
                "select id, name, permissions from tenancy.roles where org_id = $1",
                &[&org],
            )
            .await?;
        let mut custom = BTreeMap::new();
        for row in &rows {
            custom.insert(row.try_get(0)?, (row.try_get(1)?, listed(row, 2)?));
        }
        Ok(Self { built_in, custom })
    }

    fn built_in(&self, role: &str, source: &'static str) -> Reason {
        Reason {
            source,
            name: role.to_owned(),
            permissions: self.built_in.get(role).cloned().unwrap_or_default(),
        }
    }

    /// Those of a member, as `tenancy.resolve` puts them together.
    fn of_member(&self, role: &str, custom: Option<Uuid>, only: bool) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if only {
            reasons.push(Reason {
                source: "role",
                name: Role::Viewer.as_str().to_owned(),
                permissions: vec!["tenancy.organization.read".to_owned()],
            });
        } else {
            reasons.push(self.built_in(role, "role"));
        }
        if let Some((name, permissions)) = custom.and_then(|id| self.custom.get(&id)) {
            reasons.push(Reason {
                source: "custom_role",
                name: name.clone(),
                permissions: permissions.clone(),
            });
        }
        reasons
    }
}

fn listed(row: &Row, column: usize) -> Result<Vec<String>> {
    let text: String = row.try_get(column)?;
    Ok(model::split(&text).map(str::to_owned).collect())
}

const MEMBERS: &str = "\
    select u.id, coalesce(u.raw_user_meta_data ->> 'name', u.email, ''), u.email, m.role, m.custom_role, m.custom_only, \
    m.suspended_at is not null, coalesce(m.barred_until > $2, false) \
    from tenancy.memberships m join auth.users u on u.id = m.user_id \
    where m.org_id = $1 order by m.created_at, u.id limit $3";
const KEYS: &str = "\
    select k.id, k.kind, coalesce(nullif(k.name, ''), k.prefix), k.prefix, k.permissions, k.scopes, k.expires_at, k.user_id \
    from tenancy.api_keys k where k.revoked_at is null and (k.expires_at is null or k.expires_at > $2) and (k.org_id = $1 or \
    k.org_id is null and k.user_id in (select m.user_id from tenancy.memberships m where m.org_id = $1)) \
    order by k.created_at, k.id limit $3";
const SUPPORT: &str = "\
    select u.id, coalesce(u.raw_user_meta_data ->> 'name', u.email, ''), u.email, s.ends_at \
    from tenancy.support_access s join auth.users u on u.id = s.operator \
    where s.org_id = $1 and s.ended_at is null and s.ends_at > $2 and u.is_super_admin order by s.started_at";

/// All principals that a filter lets through.
pub async fn principals(ctx: &Ctx, filter: &Filter) -> Result<Vec<Principal>> {
    let pattern = filter.permission.trim();
    if !pattern.is_empty() && !model::is_pattern(pattern) {
        return Err(Error::unprocessable(
            "access.pattern_invalid",
            "A pattern names no permission.",
        ));
    }
    let (org, now) = (ctx.org_id(), ctx.kernel().env().now());
    let tx = SystemTx::begin(ctx.kernel().db(), "access review").await?;
    let sources = Sources::read(ctx, &tx).await?;
    let members = tx.query(MEMBERS, &[&org, &now, &MAX_MEMBERS]).await?;
    let keys = tx.query(KEYS, &[&org, &now, &MAX_MEMBERS]).await?;
    let operators = tx.query(SUPPORT, &[&org, &now]).await?;
    tx.commit().await?;
    let mut all = Vec::with_capacity(members.len() + keys.len());
    for row in &members {
        let role: String = row.try_get(3)?;
        let (suspended, banned): (bool, bool) = (row.try_get(6)?, row.try_get(7)?);
        all.push(Principal {
            kind: PrincipalKind::Member,
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            email: row.try_get(2)?,
            state: match (suspended, banned) {
                (_, true) => "banned",
                (true, _) => "suspended",
                _ => "active",
            },
            expires_at: None,
            reasons: sources.of_member(&role, row.try_get(4)?, row.try_get(5)?),
        });
    }
    let owners: BTreeMap<Uuid, Principal> = all.iter().map(|member| (member.id, member.clone())).collect();
    for row in &keys {
        all.extend(key(row, &owners)?);
    }
    for row in &operators {
        all.push(Principal {
            kind: PrincipalKind::Operator,
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            email: row.try_get(2)?,
            state: "active",
            expires_at: row.try_get(3)?,
            reasons: vec![sources.built_in(Role::Support.as_str(), "support")],
        });
    }
    let person = filter.person.trim().to_lowercase();
    let about = |principal: &Principal| {
        let texts = [Some(&principal.name), principal.email.as_ref()];
        texts
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(&person))
    };
    all.retain(|principal| person.is_empty() || about(principal));
    if !pattern.is_empty() {
        for principal in &mut all {
            for reason in &mut principal.reasons {
                reason.permissions.retain(|name| model::names(pattern, name));
            }
            principal.reasons.retain(|reason| !reason.permissions.is_empty());
        }
        all.retain(|principal| !principal.reasons.is_empty());
    }
    Ok(all)
}

fn key(row: &Row, owners: &BTreeMap<Uuid, Principal>) -> Result<Option<Principal>> {
    let kind: String = row.try_get(1)?;
    let (name, prefix): (String, String) = (row.try_get(2)?, row.try_get(3)?);
    let scopes: Option<Vec<String>> = row.try_get(5)?;
    let (id, expires_at) = (row.try_get(0)?, row.try_get(6)?);
    let Some(owner) = row.try_get::<_, Option<Uuid>>(7)? else {
        let granted: Option<String> = row.try_get(4)?;
        return Ok(Some(Principal {
            kind: PrincipalKind::Key,
            id,
            name,
            email: None,
            state: "active",
            expires_at,
            reasons: vec![Reason {
                source: "scopes",
                name: kind,
                permissions: model::split(&granted.unwrap_or_default())
                    .map(str::to_owned)
                    .collect(),
            }],
        }));
    };
    // A token does what its owner may, within its scopes. Its name is its owner's own affair.
    let Some(owner) = owners.get(&owner) else {
        return Ok(None);
    };
    let mut token = Principal {
        kind: PrincipalKind::Token,
        id,
        name: prefix,
        expires_at,
        ..owner.clone()
    };
    if let Some(scopes) = scopes {
        for reason in &mut token.reasons {
            reason.permissions.retain(|name| scopes.contains(name));
        }
    }
    Ok(Some(token))
}

/// One page of the report.
pub async fn page(ctx: &Ctx, filter: &Filter) -> Result<Review> {
    let all = principals(ctx, filter).await?;
    let skipped = filter.page.unwrap_or(1).saturating_sub(1).saturating_mul(PAGE);
    Ok(Review {
        total: all.len(),
        page_size: PAGE,
        principals: all.into_iter().skip(skipped).take(PAGE).collect(),
    })
}

/// The report as a table with a line for each principal and permission.
pub async fn table(ctx: &Ctx, filter: &Filter) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record([
            "kind",
            "name",
            "email",
            "state",
            "permission",
            "because_of",
            "until",
        ])
        .map_err(Error::internal)?;
    for principal in principals(ctx, filter).await? {
        let kind = match principal.kind {
            PrincipalKind::Member => "member",
            PrincipalKind::Key => "key",
            PrincipalKind::Token => "token",
            PrincipalKind::Operator => "operator",
        };
        let names: BTreeSet<&String> = principal.reasons.iter().flat_map(|r| &r.permissions).collect();
        for name in names {
            let because: Vec<String> = principal
                .reasons
                .iter()
                .filter(|reason| reason.permissions.contains(name))
                .map(|reason| format!("{} {}", reason.source.replace('_', " "), reason.name))
                .collect();
            writer
                .write_record([
                    kind,
                    &plain(&principal.name),
                    &plain(principal.email.as_deref().unwrap_or_default()),
                    principal.state,
                    name,
                    &plain(&because.join("; ")),
                    &principal.expires_at.map(|at| at.to_string()).unwrap_or_default(),
                ])
                .map_err(Error::internal)?;
        }
    }
    writer.into_inner().map_err(Error::internal)
}

/// Text that a spreadsheet does not take for a formula.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
