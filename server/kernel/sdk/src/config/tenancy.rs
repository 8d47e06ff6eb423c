//! Settings of organisations.

use serde::Deserialize;

/// Organisations.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenancy {
    /// The plan of a new organisation.
    pub default_plan: String,
    /// Days between the wish to delete an organisation and its end.
    pub deletion_grace_days: i64,
    /// Seconds between mails with the same invitation.
    pub invitation_pause_seconds: i64,
}
