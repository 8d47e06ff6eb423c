//! Settings of second factors.

use serde::Deserialize;

/// Second factors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mfa {
    /// Codes by text message.
    pub phone: MfaPhone,
}

/// Codes by text message as a second factor; `[auth.sms]` says who sends them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MfaPhone {
    /// Whether people may add a number.
    pub enroll_enabled: bool,
    /// Whether they may show one they have.
    pub verify_enabled: bool,
    /// Digits of a code, 6 to 10.
    pub otp_length: u32,
    /// Seconds between codes of one factor.
    pub pause_seconds: i64,
    /// The message; `{{ .Code }}` is the code.
    pub template: String,
}
