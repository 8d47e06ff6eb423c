//! Sending, mail by SMTP, text messages by a provider, either by a hook: a worker takes a message by counting the attempt and setting the next one, so that no other takes it
//! meanwhile. A worker that dies between the server's "250" and the mark sends again: at least once.

use std::time::Duration;

use jiff::SignedDuration;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
};
use serde_json::Value;
use tenon_sdk::{Error, Kernel, Result, SystemTx};
use uuid::Uuid;

use super::sms;
use crate::identity::{Hooks, Point};

/// Between looks at an empty queue.
const PAUSE: Duration = Duration::from_secs(1);
/// A mail server that takes longer for one message is given up for this attempt; less than the pause before the next.
const TIMEOUT: Duration = Duration::from_secs(25);
/// Attempts, with pauses of 30 s that double: the last about an hour after the first.
const ATTEMPTS: i32 = 8;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// What messages go out by.
struct Ways {
    /// The mail server and the sender; none where no mail server is named, or what is named is none.
    mail: Option<(Transport, Mailbox)>,
    hooks: Hooks,
}

/// Sends what is queued until it is dropped; returns at once where nothing can be sent.
pub(crate) async fn work(kernel: Kernel, hooks: Hooks) {
    let config = kernel.config();
    let mail = &config.mail;
    let by_hook = hooks.has(Point::SendEmail) || hooks.has(Point::SendSms);
    if mail.smtp_url.is_empty() && config.auth.sms.provider.is_none() && !by_hook {
        return;
    }
    let mail = if mail.smtp_url.is_empty() {
        None
    } else {
        match (transport(&mail.smtp_url), mail.from.parse::<Mailbox>()) {
            (Ok(transport), Ok(from)) => Some((transport, from)),
            (Err(error), _) => {
                tracing::error!("mail.smtp_url cannot be used: {error}");
                None
            }
            (_, Err(error)) => {
                tracing::error!("mail.from is no address: {error}");
                None
            }
        }
    };
    let ways = Ways { mail, hooks };
    loop {
        match send_next(&kernel, &ways).await {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                tracing::warn!("messages: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn transport(url: &str) -> std::result::Result<Transport, lettre::transport::smtp::Error> {
    Ok(Transport::from_url(url)?.timeout(Some(TIMEOUT)).build())
}

/// Whether there was a message that was due.
///
/// The attempt is counted, and the next one set, before the mail server is asked: whatever happens in between, a message is
/// tried no more than [`ATTEMPTS`] times, and no transaction waits for a mail server.
async fn send_next(kernel: &Kernel, ways: &Ways) -> Result<bool> {
    let Some(due) = claim(kernel).await? else {
        return Ok(false);
    };
    let Due {
        id, kind, attempt, ..
    } = &due;
    let outcome = match tokio::time::timeout(TIMEOUT, deliver(kernel, ways, &due)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(("it took too long".to_owned(), false)),
    };
    let now = kernel.env().now();
    let tx = SystemTx::begin(kernel.db(), "mail").await?;
    match outcome {
        Ok(()) => {
            tx.execute(
                "update notifications.messages set state = 'sent', sent_at = $2, error = null, \
                 body_text = '', body_html = '', hook = null where id = $1",
                &[id, &now],
            )
            .await?;
        }
        Err((error, for_good)) if for_good || *attempt >= ATTEMPTS => {
            tracing::error!(%id, kind, "message given up after {attempt} attempts: {error}");
            tx.execute(
                "update notifications.messages set state = 'failed', error = $2, \
                 body_text = '', body_html = '', hook = null where id = $1",
                &[id, &error],
            )
            .await?;
        }
        Err((error, _)) => {
            tracing::warn!(%id, kind, "message not sent in attempt {attempt}: {error}");
            tx.execute(
                "update notifications.messages set error = $2 where id = $1",
                &[id, &error],
            )
            .await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// Hands a message on; else why not, and whether that is for good.
async fn deliver(kernel: &Kernel, ways: &Ways, due: &Due) -> std::result::Result<(), (String, bool)> {
    let passing = |error: Error| (error.to_string(), error.status() < 500 && error.status() != 422);
    if let Some(told) = &due.hook {
        let point = if due.channel == "sms" {
            Point::SendSms
        } else {
            Point::SendEmail
        };
        return ways.hooks.call(point, told).await.map(drop).map_err(passing);
    }
    if due.channel == "sms" {
        let sms = &kernel.config().auth.sms;
        return sms::send(kernel.outbound(), sms, &due.recipient, &due.text)
            .await
            .map_err(|error| (error.details.unwrap_or(error.message), false));
    }
    let Some((transport, from)) = &ways.mail else {
        return Err(("no mail server can be used".to_owned(), false));
    };
    let letter = letter(from, due).map_err(|error| (error.to_string(), true))?;
    let sent = transport.send(letter).await;
    sent.map(drop)
        .map_err(|error| (error.to_string(), refused_for_good(&error)))
}

/// A message whose turn it is.
struct Due {
    id: Uuid,
    kind: String,
    attempt: i32,
    channel: String,
    hook: Option<Value>,
    recipient: String,
    subject: String,
    text: String,
    html: String,
}

async fn claim(kernel: &Kernel) -> Result<Option<Due>> {
    let now = kernel.env().now();
    let tx = SystemTx::begin(kernel.db(), "mail").await?;
    let row = tx
        .query_opt(
            "select id, kind, attempts, recipient, subject, body_text, body_html, channel, hook \
             from notifications.messages \
             where state = 'queued' and next_attempt_at <= $1 order by next_attempt_at limit 1 \
             for update skip locked",
            &[&now],
        )
        .await?;
    let due = match row {
        Some(row) => {
            let due = Due {
                id: row.try_get(0)?,
                kind: row.try_get(1)?,
                attempt: row.try_get::<_, i32>(2)? + 1,
                recipient: row.try_get(3)?,
                subject: row.try_get(4)?,
                text: row.try_get(5)?,
                html: row.try_get(6)?,
                channel: row.try_get(7)?,
                hook: row.try_get(8)?,
            };
            let next = now + SignedDuration::from_secs(30 << due.attempt.clamp(1, ATTEMPTS).abs_diff(1));
            tx.execute(
                "update notifications.messages set attempts = $2, next_attempt_at = $3 where id = $1",
                &[&due.id, &due.attempt, &next],
            )
            .await?;
            Some(due)
        }
        None => None,
    };
    tx.commit().await?;
    Ok(due)
}

/// Whether asking again is of no use. What a server says of our account (RFC 4954) is no word on the message.
fn refused_for_good(error: &lettre::transport::smtp::Error) -> bool {
    let code = error.status().map(u16::from);
    error.is_permanent() && !matches!(code, Some(530 | 534 | 535 | 538))
}

fn letter(from: &Mailbox, due: &Due) -> Result<Message> {
    let bad = |error: &dyn std::fmt::Display| Error::internal(error.to_string());
    // An address and nothing but one: a mailbox could name another behind a display name.
    let recipient: Address = due.recipient.parse().map_err(|error| bad(&error))?;
    let bodies = MultiPart::alternative_plain_html(due.text.clone(), due.html.clone());
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, recipient))
        .subject(due.subject.clone())
        .multipart(bodies)
        .map_err(|error| bad(&error))
}
