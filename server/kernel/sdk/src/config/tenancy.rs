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
    /// Seconds between mails of one organisation that invite the same address.
    pub invitation_pause_seconds: i64,
    /// Mails with invitations that one person may send in an hour, whatever the organisation; 0: no limit.
    pub invitation_mails: u32,
    /// Organisations that one person may found; 0: no limit.
    pub organizations_per_person: i64,
}
