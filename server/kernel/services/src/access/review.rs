//! Who can do what in an organisation, and why: members by their roles, keys by their scopes, tokens of members and programs that members
//! let act for them by what their owners may, operators of the installation while they help.
//!
//! Principals are found, filtered and counted in the database, a page at a time; only what a role grants, which is the same for all
//! who have it, is put to them here.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{Ctx, Error, Result, SystemTx, events::Event, permission::Role};
use tokio_postgres::Row;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{commands, model, permissions::ReviewRead};
use crate::tenancy::Acting;

/// Principals in one answer.
const PAGE: i64 = 50;
/// Principals that are read at once for the table.
const AT_ONCE: i64 = 500;
/// What counts of the built-in role of somebody who has a role of the organisation's own alone.
const LEAST: &str = "tenancy.organization.read";

/// What to look for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct Filter {
    /// Part of a name or address.
    #[serde(default)]
    pub person: String,
    /// A permission, or a pattern such as `purchasing.*`.
    #[serde(default)]
    pub permission: String,
    /// Which page, from 1.
    #[serde(default)]
    pub page: Option<i64>,
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
    /// A program that a member lets act for them.
    Program,
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
#[derive(Debug, Serialize, ToSchema)]
pub struct Principal {
    /// What sort it is.
    pub kind: PrincipalKind,
    /// Its id.
    pub id: Uuid,
    /// Of a person their name or address, of a key or program its name, of a token its first letters.
    pub name: String,
    /// Of a person, or of whom a token or program acts for.
    pub email: Option<String>,
    /// `active`, or why it can do nothing now: `suspended`, `banned`, and `maker_suspended` of a key.
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
    pub total: i64,
    /// How many fill a page.
    pub page_size: i64,
    /// Those of this page.
    pub principals: Vec<Principal>,
}

/// What roles grant in an organisation, as far as a filter asks for it.
struct Sources {
    built_in: BTreeMap<String, Vec<String>>,
    custom: BTreeMap<Uuid, (String, Vec<String>)>,
    /// Names of permissions that the filter's pattern names; none: it has no pattern.
    names: Option<Vec<String>>,
}

fn listed(row: &Row, column: usize) -> Result<Vec<String>> {
    let text: String = row.try_get(column)?;
    Ok(model::split(&text).map(str::to_owned).collect())
}

/// Whether a program that acts for a member may do what they may by this permission: it changes neither members nor access.
fn open_to_programs(name: &str) -> bool {
    let reads = name.rsplit('.').next() == Some("read");
    reads || !name.starts_with("access.") && !name.starts_with("tenancy.")
}

impl Sources {
    async fn read(ctx: &Ctx, tx: &SystemTx, pattern: &str) -> Result<Self> {
        if !pattern.is_empty() && !model::is_pattern(pattern) {
            return Err(Error::unprocessable(
                "access.pattern_invalid",
                "A pattern names no permission.",
            ));
        }
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
        let all = commands::all(ctx.kernel()).map(|def| def.name);
        let names = all.filter(|name| model::names(pattern, name)).map(str::to_owned);
        Ok(Self {
            built_in,
            custom,
            names: (!pattern.is_empty()).then(|| names.collect()),
        })
    }

    fn asked(&self, name: &str) -> bool {
        self.names
            .as_ref()
            .is_none_or(|names| names.iter().any(|asked| asked == name))
    }

    /// Roles that grant something that is asked for, to people themselves or to programs that act for them.
    fn granting(&self, programs: bool) -> (Vec<&str>, Vec<Uuid>, bool) {
        let any = |names: &Vec<String>| {
            names
                .iter()
                .any(|name| self.asked(name) && (!programs || open_to_programs(name)))
        };
        let built_in = self.built_in.iter().filter(|(_, names)| any(names));
        let custom = self.custom.iter().filter(|(_, (_, names))| any(names));
        (
            built_in.map(|(role, _)| role.as_str()).collect(),
            custom.map(|(id, _)| *id).collect(),
            self.asked(LEAST),
        )
    }

    /// Those of a member, as `tenancy.resolve` puts them together.
    fn of_member(&self, role: &str, custom: Option<Uuid>, only: bool) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if only {
            reasons.push(Reason {
                source: "role",
                name: Role::Viewer.as_str().to_owned(),
                permissions: vec![LEAST.to_owned()],
            });
        } else {
            reasons.push(self.of_role(role, "role"));
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

    fn of_role(&self, role: &str, source: &'static str) -> Reason {
        Reason {
            source,
            name: role.to_owned(),
            permissions: self.built_in.get(role).cloned().unwrap_or_default(),
        }
    }

    /// A row of [`FOUND`].
    fn principal(&self, row: &Row) -> Result<Principal> {
        let kind = match row.try_get::<_, i32>(0)? {
            1 => PrincipalKind::Member,
            2 => PrincipalKind::Key,
            3 => PrincipalKind::Token,
            4 => PrincipalKind::Program,
            _ => PrincipalKind::Operator,
        };
        let role: Option<String> = row.try_get(7)?;
        let role = role.unwrap_or_default();
        let scopes: Option<Vec<String>> = row.try_get(10)?;
        let mut reasons = match kind {
            PrincipalKind::Key => vec![Reason {
                source: "scopes",
                name: role,
                permissions: scopes.clone().unwrap_or_default(),
            }],
            PrincipalKind::Operator => vec![self.of_role(Role::Support.as_str(), "support")],
            _ => self.of_member(&role, row.try_get(8)?, row.try_get(9)?),
        };
        for reason in &mut reasons {
            reason.permissions.retain(|name| {
                self.asked(name)
                    && (kind != PrincipalKind::Program || open_to_programs(name))
                    && (kind != PrincipalKind::Token
                        || scopes.as_ref().is_none_or(|scopes| scopes.contains(name)))
            });
        }
        reasons.retain(|reason| !reason.permissions.is_empty() || self.names.is_none());
        let state: String = row.try_get(5)?;
        Ok(Principal {
            kind,
            id: row.try_get(1)?,
            name: row.try_get(3)?,
            email: row.try_get(4)?,
            state: match state.as_str() {
                "banned" => "banned",
                "suspended" => "suspended",
                "maker_suspended" => "maker_suspended",
                _ => "active",
            },
            expires_at: row.try_get(6)?,
            reasons,
        })
    }
}

/// Principals of the organisation $1 at the time $2 whose name or address has $3 in it, and who have one of the permissions $4 (null: any):
/// members by the built-in roles $5, the others $6, or $7 of those who have the latter alone; programs by $8, $9 and $10. $11: whether every
/// program acts as its person. Those after the place ($12, $13, $14) if there is one, $15 at most, $16 left out. The place is sort,
/// since when, id.
const FOUND: &str = include_str!("review.sql");

/// A place in the list: sort, since when, id.
type Place = (i32, Timestamp, Uuid);

async fn found(
    ctx: &Ctx,
    tx: &SystemTx,
    sources: &Sources,
    person: &str,
    after: Option<Place>,
    (limit, offset): (i64, i64),
) -> Result<Vec<Row>> {
    let (roles, customs, least) = sources.granting(false);
    let (program_roles, program_customs, program_least) = sources.granting(true);
    let (sort, since, id) = after.map_or((None, None, None), |(sort, since, id)| {
        (Some(sort), Some(since), Some(id))
    });
    tx.query(
        FOUND,
        &[
            &ctx.org_id(),
            &ctx.kernel().env().now(),
            &person.trim(),
            &sources.names,
            &roles,
            &customs,
            &least,
            &program_roles,
            &program_customs,
            &program_least,
            &ctx.kernel().config().auth.issuer.open_api,
            &sort,
            &since,
            &id,
            &limit,
            &offset,
        ],
    )
    .await
}

/// One page of the report.
pub async fn page(ctx: &Ctx, filter: &Filter) -> Result<Review> {
    let tx = SystemTx::begin(ctx.kernel().db(), "access review").await?;
    let sources = Sources::read(ctx, &tx, filter.permission.trim()).await?;
    let skipped = (filter.page.unwrap_or(1).clamp(1, 1_000_000) - 1) * PAGE;
    let rows = found(ctx, &tx, &sources, &filter.person, None, (PAGE, skipped)).await?;
    // A page beyond the last has no row to say how many there are.
    let total = match rows.first() {
        Some(row) => row.try_get(11)?,
        None if skipped == 0 => 0,
        None => found(ctx, &tx, &sources, &filter.person, None, (1, 0))
            .await?
            .first()
            .map_or(Ok(0), |row| row.try_get(11))?,
    };
    tx.commit().await?;
    Ok(Review {
        total,
        page_size: PAGE,
        principals: rows
            .iter()
            .map(|row| sources.principal(row))
            .collect::<Result<_>>()?,
    })
}

const COLUMNS: [&str; 7] = [
    "kind",
    "name",
    "email",
    "state",
    "permission",
    "because_of",
    "until",
];

/// The report as a table with a line for each principal and permission, read while it is sent: no connection is held for a slow reader.
/// That it was taken away stands in the organisation's log.
pub async fn table(ctx: &Ctx, filter: Filter) -> Result<Body> {
    let acting = Acting::begin::<ReviewRead>(ctx, "access review taken away").await?;
    // What is wrong with the filter is said before anything is sent.
    Sources::read(ctx, acting.tx(), filter.permission.trim()).await?;
    let (person, permission) = (filter.person.trim(), filter.permission.trim());
    let short = |text: &str| text.chars().take(200).collect::<String>();
    let payload = json!({ "person": short(person), "permission": permission });
    acting
        .emit(&Event::new("access.review_exported", ctx.org_id().0, payload))
        .await?;
    acting.commit().await?;
    let mut head = csv::Writer::from_writer(Vec::new());
    head.write_record(COLUMNS).map_err(Error::internal)?;
    let head = head.into_inner().map_err(Error::internal)?;
    let pieces = stream::try_unfold(Some((head, None)), {
        let ctx = ctx.clone();
        move |next| {
            let (ctx, filter) = (ctx.clone(), filter.clone());
            async move {
                let Some((mut text, after)) = next else {
                    return Ok::<_, std::io::Error>(None);
                };
                let (lines, last) = some_lines(&ctx, &filter, after)
                    .await
                    .map_err(std::io::Error::other)?;
                text.extend(lines);
                Ok(Some((
                    Bytes::from(text),
                    last.map(|place| (Vec::new(), Some(place))),
                )))
            }
        }
    });
    Ok(Body::from_stream(pieces))
}

/// Lines of the next principals, and where those after them begin, if there may be more.
async fn some_lines(ctx: &Ctx, filter: &Filter, after: Option<Place>) -> Result<(Vec<u8>, Option<Place>)> {
    let tx = SystemTx::begin(ctx.kernel().db(), "access review").await?;
    let sources = Sources::read(ctx, &tx, filter.permission.trim()).await?;
    let rows = found(ctx, &tx, &sources, &filter.person, after, (AT_ONCE, 0)).await?;
    tx.commit().await?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in &rows {
        write(&mut writer, &sources.principal(row)?).map_err(Error::internal)?;
    }
    let last = match rows.last() {
        Some(row) if i64::try_from(rows.len()).is_ok_and(|count| count == AT_ONCE) => {
            Some((row.try_get(0)?, row.try_get(2)?, row.try_get(1)?))
        }
        _ => None,
    };
    Ok((writer.into_inner().map_err(Error::internal)?, last))
}

fn write(writer: &mut csv::Writer<Vec<u8>>, principal: &Principal) -> csv::Result<()> {
    let kind = match principal.kind {
        PrincipalKind::Member => "member",
        PrincipalKind::Key => "key",
        PrincipalKind::Token => "token",
        PrincipalKind::Program => "program",
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
        writer.write_record([
            kind,
            &plain(&principal.name),
            &plain(principal.email.as_deref().unwrap_or_default()),
            principal.state,
            name,
            &plain(&because.join("; ")),
            &principal.expires_at.map(|at| at.to_string()).unwrap_or_default(),
        ])?;
    }
    Ok(())
}

/// Text that a spreadsheet does not take for a formula.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
