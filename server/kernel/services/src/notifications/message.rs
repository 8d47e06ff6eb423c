//! A message, and how it comes into the queue.

use tenon_sdk::{Result, SystemTx, config::Mail, env::Env};

/// A mail to one person.
pub(crate) struct Message<'a> {
    /// `module.message`, stable.
    pub kind: &'static str,
    /// The address.
    pub recipient: &'a str,
    /// The subject.
    pub subject: String,
    /// The body for readers of plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
}

/// Puts a message into the queue, as part of `tx`. An installation that neither sends mail nor keeps it records that the
/// message was not sent, and says so in the log.
pub(crate) async fn queue(tx: &SystemTx, env: &Env, config: &Mail, message: &Message<'_>) -> Result<()> {
    let (state, error) = if config.mailbox {
        ("kept", None)
    } else if config.smtp_url.is_empty() {
        tracing::warn!(
            kind = message.kind,
            "a mail cannot be sent: mail.smtp_url is not set"
        );
        ("failed", Some("mail.smtp_url is not set"))
    } else {
        ("queued", None)
    };
    let lost = state == "failed";
    let body = |text: &str| if lost { String::new() } else { text.to_owned() };
    tx.execute(
        "insert into notifications.messages \
         (id, kind, recipient, subject, body_text, body_html, state, error, next_attempt_at, created_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        &[
            &env.new_id(),
            &message.kind,
            &message.recipient,
            &message.subject,
            &body(&message.text),
            &body(&message.html),
            &state,
            &error,
            &env.now(),
        ],
    )
    .await
    .map(drop)
}
