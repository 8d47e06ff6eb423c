//! The verbs of access, one a file. Each first asks what the one who acts has themselves: nobody gives more.

mod assign_role;
mod create_key;
mod create_token;
mod end_support;
mod remove_role;
mod revoke_key;
mod save_role;

pub(super) use assign_role::{AssignedRole, assign_role};
pub(super) use create_key::{KeyKind, NewKey, create_key};
pub(super) use create_token::{NewToken, create_token};
pub(crate) use end_support::end_support;
pub(super) use remove_role::remove_role;
pub(super) use revoke_key::{revoke_key, revoke_token};
pub(super) use save_role::{RoleText, create_role, update_role};

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use tenon_sdk::{
    Ctx, Error, Kernel, Result, SystemTx,
    permission::{PermissionDef, Role},
};

use super::model;

/// Longest life of a key or token.
const MAX_DAYS: u32 = 366;

/// All permissions of this installation.
pub(super) fn all(kernel: &Kernel) -> impl Iterator<Item = &'static PermissionDef> {
    kernel.modules().iter().flat_map(|module| module.permissions)
}

/// What somebody may hand on in an organisation.
pub(super) struct Reach {
    /// Their built-in role.
    pub(super) rank: Role,
    own: BTreeSet<String>,
}

impl Reach {
    /// Their permissions, and those of apps that are switched off as far as their built-in role has them: whoever could use an
    /// app when it was on may write it into a role while it is off.
    pub(super) async fn of(ctx: &Ctx, tx: &SystemTx) -> Result<Self> {
        let row = tx
            .query_one(
                "select disabled_apps from tenancy.organizations where id = $1",
                &[&ctx.org_id()],
            )
            .await?;
        let disabled: Vec<String> = row.try_get(0)?;
        let resolved = ctx.resolved();
        let rank = resolved
            .and_then(|resolved| Role::parse(resolved.role.as_deref()?))
            .unwrap_or(Role::Viewer);
        let mut own: BTreeSet<String> = resolved
            .into_iter()
            .flat_map(|resolved| resolved.permissions().map(str::to_owned))
            .collect();
        let off = all(ctx.kernel()).filter(|def| {
            let app = def.name.split('.').next().unwrap_or_default();
            def.from <= rank && disabled.iter().any(|name| name == app)
        });
        own.extend(off.map(|def| def.name.to_owned()));
        Ok(Self { rank, own })
    }

    /// Names among these that they do not have.
    pub(super) fn beyond<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        names
            .into_iter()
            .filter(|name| !self.own.contains(*name))
            .collect()
    }

    /// An error that says which of these they do not have, if any.
    pub(super) fn require<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let beyond = self.beyond(names);
        if beyond.is_empty() {
            return Ok(());
        }
        Err(Error::forbidden(
            "access.more_than_own",
            "You cannot give more than you have yourself.",
        )
        .details(format!("You do not have: {}.", beyond.join(", ")))
        .hint("Leave these out, or ask somebody who has them."))
    }
}

/// A name as people give it: 1 to 80 characters on one line.
fn name(text: &str) -> Result<&str> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 80 || text.chars().any(char::is_control) {
        return Err(Error::unprocessable(
            "access.name_invalid",
            "The name must have 1 to 80 characters.",
        ));
    }
    Ok(text)
}

/// When something made now ends.
fn expiry(now: Timestamp, days: Option<u32>) -> Result<Option<Timestamp>> {
    match days {
        None => Ok(None),
        Some(days @ 1..=MAX_DAYS) => Ok(Some(now + SignedDuration::from_hours(24 * i64::from(days)))),
        Some(_) => Err(Error::unprocessable(
            "access.expiry_invalid",
            format!("It lasts 1 to {MAX_DAYS} days, or has no end."),
        )),
    }
}

/// What patterns grant of all permissions there are; a pattern that is none, or that names nothing, is refused.
fn granted(kernel: &Kernel, includes: &[String], excludes: &[String]) -> Result<BTreeSet<&'static str>> {
    if includes.is_empty() || includes.len() > 200 || excludes.len() > 200 {
        return Err(Error::unprocessable(
            "access.pattern_invalid",
            "Name 1 to 200 permissions or patterns, and leave out at most 200.",
        ));
    }
    for pattern in includes.iter().chain(excludes) {
        if !model::is_pattern(pattern) || !all(kernel).any(|def| model::names(pattern, def.name)) {
            let shown: String = pattern.chars().take(80).collect();
            return Err(
                Error::unprocessable("access.pattern_invalid", "A pattern names no permission.")
                    .details(format!("It is: {shown}"))
                    .hint("Write app.thing.verb; * stands for a word, and at the end for the rest."),
            );
        }
    }
    Ok(model::expand(includes, excludes, all(kernel).map(|def| def.name)))
}
