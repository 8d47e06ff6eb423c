//! How often one may ask.

use serde::Deserialize;

/// Requests of one client address (an IPv4 address, a /64 of IPv6) before it is told to wait; 0: no limit. What was used flows
/// back evenly over the time each is counted for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Mails asked for in an hour.
    pub email: u32,
    /// Text messages asked for in an hour.
    pub sms: u32,
    /// Visitors' accounts in an hour.
    pub anonymous: u32,
    /// Proofs shown in five minutes.
    pub verify: u32,
    /// Tokens asked for in five minutes.
    pub token: u32,
    /// Sign-ins by way of another in five minutes.
    pub sso: u32,
    /// Sign-ups, requests for codes and links, and changes of an account, in five minutes.
    pub otp: u32,
    /// Passkey ceremonies in five minutes.
    pub passkey: u32,
    /// Questions for a passkey in five minutes: the sign-in page asks one at every look, so that an office asks many.
    pub passkey_options: u32,
    /// OAuth clients registered by themselves in five minutes.
    pub client: u32,
    /// Challenges and answers of second factors in a minute.
    pub mfa: u32,
}

impl Limits {
    /// No limits: for tests and whoever counts elsewhere.
    pub const NONE: Self = Self {
        email: 0,
        sms: 0,
        anonymous: 0,
        verify: 0,
        token: 0,
        sso: 0,
        otp: 0,
        passkey: 0,
        passkey_options: 0,
        client: 0,
        mfa: 0,
    };
}
