//! A message, and how it comes into the queue.

use serde_json::Value;
use tenon_sdk::{
    Result, SystemTx,
    config::{Config, Mail},
    env::Env,
};

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

/// A text message to one telephone.
pub(crate) struct TextMessage<'a> {
    /// `module.message`, stable.
    pub kind: &'static str,
    /// The number, E.164 without the plus sign.
    pub recipient: &'a str,
    /// The text.
    pub text: String,
}

/// A row of the queue.
#[derive(Default)]
struct Row<'a> {
    channel: &'static str,
    kind: &'static str,
    recipient: &'a str,
    subject: &'a str,
    text: &'a str,
    html: &'a str,
    state: &'static str,
    error: Option<&'static str>,
    hook: Option<&'a Value>,
}

async fn insert(tx: &SystemTx, env: &Env, row: Row<'_>) -> Result<()> {
    // What will not be sent is not kept: it may hold a link that is as good as a password.
    let body = |text: &str| {
        if row.state == "failed" {
            String::new()
        } else {
            text.to_owned()
        }
    };
    tx.execute(
        "insert into notifications.messages (id, channel, kind, recipient, subject, body_text, body_html, \
         state, error, hook, next_attempt_at, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
        &[
            &env.new_id(),
            &row.channel,
            &row.kind,
            &row.recipient,
            &row.subject,
            &body(row.text),
            &body(row.html),
            &row.state,
            &row.error,
            &row.hook,
            &env.now(),
        ],
    )
    .await
    .map(drop)
}

/// Puts a mail into the queue, as part of `tx`. An installation that neither sends mail nor keeps it records that the
/// message was not sent, and says so in the log.
pub(crate) async fn queue(tx: &SystemTx, env: &Env, config: &Mail, message: &Message<'_>) -> Result<()> {
    queue_by(tx, env, config, message, None).await
}

/// As [`queue`]; with `hook`, the hook `send_email` sends it and is told this.
pub(crate) async fn queue_by(
    tx: &SystemTx,
    env: &Env,
    config: &Mail,
    message: &Message<'_>,
    hook: Option<&Value>,
) -> Result<()> {
    let (state, error) = if hook.is_some() {
        ("queued", None)
    } else if config.mailbox {
        ("kept", None)
    } else if !config.sends() {
        tracing::warn!(kind = message.kind, "a mail cannot be sent: {}", config.missing());
        ("failed", Some(config.missing()))
    } else {
        ("queued", None)
    };
    let row = Row {
        channel: "mail",
        kind: message.kind,
        recipient: message.recipient,
        subject: &message.subject,
        text: &message.text,
        html: &message.html,
        state,
        error,
        hook,
    };
    insert(tx, env, row).await
}

/// Puts a text message into the queue, as part of `tx`; with `hook`, the hook `send_sms` sends it and is told this.
pub(crate) async fn queue_text(
    tx: &SystemTx,
    env: &Env,
    config: &Config,
    message: &TextMessage<'_>,
    hook: Option<&Value>,
) -> Result<()> {
    let (state, error) = if hook.is_some() || config.auth.sms.provider.is_some() {
        ("queued", None)
    } else if config.mail.mailbox && config.auth.sms.mailbox {
        ("kept", None)
    } else {
        tracing::warn!(
            kind = message.kind,
            "a text message cannot be sent: auth.sms.provider is not set"
        );
        ("failed", Some("auth.sms.provider is not set"))
    };
    let row = Row {
        channel: "sms",
        kind: message.kind,
        recipient: message.recipient,
        text: &message.text,
        state,
        error,
        hook,
        ..Row::default()
    };
    insert(tx, env, row).await
}

/// Writes what is written for a message, and sends none: where there is nobody to write to, and the time it takes must not tell.
pub(crate) async fn decoy(tx: &SystemTx, env: &Env) -> Result<()> {
    let row = Row {
        channel: "mail",
        kind: "identity.decoy",
        state: "decoy",
        ..Row::default()
    };
    insert(tx, env, row).await
}
