//! Settings of Tenon as provider of sign-in for other programs.

use serde::Deserialize;

/// Tenon as OAuth 2.1 and `OpenID` provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Whether other programs may sign people in here.
    pub enabled: bool,
    /// Whether programs may register themselves (RFC 7591).
    pub registration: bool,
    /// Most registrations of programs in an hour, for the whole installation.
    pub registrations_per_hour: i64,
    /// Seconds a code waits for its exchange; ten minutes at most.
    pub code_seconds: i64,
    /// Seconds after which a refresh token that nobody used is void.
    pub refresh_seconds: i64,
    /// Whether every connected program may use the API as the person, not only one that was granted the scope `api`.
    pub open_api: bool,
    /// The page that asks people, below the installation's address.
    pub consent_path: String,
}
