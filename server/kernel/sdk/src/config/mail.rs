//! How mail goes out.

use serde::Deserialize;

use super::Secret;

/// How mail goes out.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// Who carries mail: `smtp`, `sendgrid`, `resend` or `ses`.
    pub provider: MailProvider,
    /// The mail server, `smtps://user:password@host:465` or `smtp://host:587?tls=required`; empty: mail is not sent by SMTP.
    pub smtp_url: String,
    /// The sender.
    pub from: String,
    /// Keeps mail in a mailbox that everybody can read instead of sending it: for development.
    pub mailbox: bool,
    /// The TCP port on 127.0.0.1 at which the mailbox is shown in the form of Mailpit's API; 0: none.
    pub catcher_port: u16,
    /// `SendGrid`.
    pub sendgrid: MailKey,
    /// Resend.
    pub resend: MailKey,
    /// Amazon SES.
    pub ses: MailSes,
}

/// Somebody who carries mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailProvider {
    /// The mail server of `smtp_url`.
    Smtp,
    /// Twilio `SendGrid`, v3.
    Sendgrid,
    /// Resend.
    Resend,
    /// Amazon SES, v2.
    Ses,
}

impl MailProvider {
    /// The word of the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Sendgrid => "sendgrid",
            Self::Resend => "resend",
            Self::Ses => "ses",
        }
    }
}

/// A provider that knows us by a key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailKey {
    /// The key.
    pub api_key: Secret,
    /// Another address of the provider's interface.
    pub base_url: String,
}

/// Amazon SES.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSes {
    /// Such as `eu-central-1`.
    pub region: String,
    /// The key's id.
    pub access_key_id: String,
    /// The key's secret.
    pub secret_access_key: Secret,
    /// The token of a key that is good for a time; empty for others.
    pub session_token: Secret,
    /// The configuration set that mails name; empty: none.
    pub configuration_set: String,
    /// Another address of the interface.
    pub base_url: String,
}

impl Mail {
    /// Whether there is anybody who carries mail.
    pub fn sends(&self) -> bool {
        match self.provider {
            MailProvider::Smtp => !self.smtp_url.is_empty(),
            MailProvider::Sendgrid => !self.sendgrid.api_key.is_empty(),
            MailProvider::Resend => !self.resend.api_key.is_empty(),
            MailProvider::Ses => {
                !self.ses.access_key_id.is_empty()
                    && !self.ses.secret_access_key.is_empty()
                    && !self.ses.region.is_empty()
            }
        }
    }

    /// The setting without which no mail is sent.
    pub const fn missing(&self) -> &'static str {
        match self.provider {
            MailProvider::Smtp => "mail.smtp_url is not set",
            MailProvider::Sendgrid => "mail.sendgrid.api_key is not set",
            MailProvider::Resend => "mail.resend.api_key is not set",
            MailProvider::Ses => "mail.ses lacks region, access_key_id or secret_access_key",
        }
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address of the mail server holds a password.
        out.debug_struct("Mail")
            .field("provider", &self.provider)
            .field("from", &self.from)
            .field("mailbox", &self.mailbox)
            .finish_non_exhaustive()
    }
}
