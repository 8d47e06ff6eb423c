//! Text messages.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Secret;

/// Sign-in by telephone, and who sends the messages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    /// Whether people sign in by telephone.
    pub enabled: bool,
    /// Who sends: `twilio`, `twilio_verify`, `messagebird`, `textlocal`, `vonage`; none: nobody, unless there is a hook.
    pub provider: Option<SmsProvider>,
    /// The account with the provider: Twilio's SID, Vonage's key.
    pub account: String,
    /// The provider's secret: token, access key or API key.
    pub secret: Secret,
    /// The sender's number or name; Twilio's messaging service; for `twilio_verify` the service.
    pub from: String,
    /// Another address of the provider's interface.
    pub base_url: String,
    /// Whether a number is known to be its owner's only after a code that went there.
    pub confirm: bool,
    /// Seconds a code stays good.
    pub code_seconds: i64,
    /// Seconds between messages to one number.
    pub pause_seconds: i64,
    /// The message; `{{ .Code }}` is the code.
    pub template: String,
    /// Beginnings of numbers that are written to, as `49`; none: all numbers are.
    pub allowed_prefixes: Vec<String>,
    /// Whether the mailbox of a development installation keeps messages that nobody sends.
    pub mailbox: bool,
    /// Numbers for tests and their codes; nothing is sent to them.
    pub test_otp: BTreeMap<String, String>,
}

/// Somebody who sends text messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsProvider {
    /// Twilio's programmable messaging.
    Twilio,
    /// Twilio Verify, which makes the codes and checks them itself.
    TwilioVerify,
    /// Bird, formerly `MessageBird`.
    Messagebird,
    /// Textlocal.
    Textlocal,
    /// Vonage, formerly Nexmo.
    Vonage,
}

impl SmsProvider {
    /// The word of the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::TwilioVerify => "twilio_verify",
            Self::Messagebird => "messagebird",
            Self::Textlocal => "textlocal",
            Self::Vonage => "vonage",
        }
    }
}
