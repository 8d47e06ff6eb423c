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
use tenon_sdk::{Error, Kernel, Result, db::Resolved, permission::PermissionDef};

use super::model;
use crate::tenancy::Acting;

/// Longest life of a key or token.
const MAX_DAYS: u32 = 366;

/// All permissions of this installation.
pub(super) fn all(kernel: &Kernel) -> impl Iterator<Item = &'static PermissionDef> {
    kernel.modules().iter().flat_map(|module| module.permissions)
}

/// Names among these that a caller does not have, permissions of apps that are off included: whoever could use an app when it was on may write
/// it into a role while it is off.
pub(super) fn beyond<'a>(granted: &Resolved, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let granted: BTreeSet<&str> = granted.permissions().collect();
    names.into_iter().filter(|name| !granted.contains(name)).collect()
}

/// An error that says which of these a caller does not have, if any.
fn require<'a>(acting: &Acting, names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let beyond = beyond(acting.granted(), names);
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

/// What only people may do: a key or a narrowed token could otherwise let in others, or give itself more.
fn for_people(name: &str) -> bool {
    let reads = name.rsplit('.').next() == Some("read");
    name.starts_with("access.") || name.starts_with("tenancy.") && !reads
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
