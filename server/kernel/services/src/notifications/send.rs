//! Sending by SMTP: one message at a time, each in a transaction that holds its row, so that two workers never send the same
//! one at once. A worker that dies between the server's "250" and its commit sends again: at least once.

use std::time::Duration;

use jiff::SignedDuration;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
};
use tenon_sdk::{Error, Kernel, Result, SystemTx};
use uuid::Uuid;

/// Between looks at an empty queue.
const PAUSE: Duration = Duration::from_secs(1);
/// A mail server that takes longer for one message is given up for this attempt.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Attempts, with pauses of 30 s that double: the last about an hour after the first.
const ATTEMPTS: i32 = 8;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Sends what is queued until it is dropped; returns at once where no mail server is named.
pub(crate) async fn work(kernel: Kernel) {
    let mail = &kernel.config().mail;
    if mail.smtp_url.is_empty() {
        return;
    }
    let (transport, from) = match (transport(&mail.smtp_url), mail.from.parse::<Mailbox>()) {
        (Ok(transport), Ok(from)) => (transport, from),
        (Err(error), _) => return tracing::error!("mail.smtp_url cannot be used: {error}"),
        (_, Err(error)) => return tracing::error!("mail.from is no address: {error}"),
    };
    loop {
        match send_next(&kernel, &transport, &from).await {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                tracing::warn!("mail: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn transport(url: &str) -> std::result::Result<Transport, lettre::transport::smtp::Error> {
    Ok(Transport::from_url(url)?.timeout(Some(TIMEOUT)).build())
}

/// Whether there was a message that was due.
async fn send_next(kernel: &Kernel, transport: &Transport, from: &Mailbox) -> Result<bool> {
    let now = kernel.env().now();
    let tx = SystemTx::begin(kernel.db(), "mail").await?;
    let Some(row) = tx
        .query_opt(
            "select id, kind, recipient, subject, body_text, body_html, attempts from notifications.messages \
             where state = 'queued' and next_attempt_at <= $1 order by next_attempt_at limit 1 \
             for update skip locked",
            &[&now],
        )
        .await?
    else {
        tx.commit().await?;
        return Ok(false);
    };
    let (id, kind): (Uuid, String) = (row.try_get(0)?, row.try_get(1)?);
    let attempt = row.try_get::<_, i32>(6)? + 1;
    let sent = match letter(
        from,
        row.try_get(2)?,
        row.try_get(3)?,
        row.try_get(4)?,
        row.try_get(5)?,
    ) {
        Ok(letter) => transport
            .send(letter)
            .await
            .map_err(|error| (error.to_string(), error.is_permanent())),
        Err(error) => Err((error.to_string(), true)),
    };
    match sent {
        Ok(_) => {
            tx.execute(
                "update notifications.messages set state = 'sent', attempts = $2, sent_at = $3, error = null, \
                 body_text = '', body_html = '' where id = $1",
                &[&id, &attempt, &kernel.env().now()],
            )
            .await?;
        }
        Err((error, permanent)) if permanent || attempt >= ATTEMPTS => {
            tracing::error!(%id, kind, "mail given up after {attempt} attempts: {error}");
            tx.execute(
                "update notifications.messages set state = 'failed', attempts = $2, error = $3, \
                 body_text = '', body_html = '' where id = $1",
                &[&id, &attempt, &error],
            )
            .await?;
        }
        Err((error, _)) => {
            let pause = SignedDuration::from_secs(30 << (attempt - 1));
            tracing::warn!(%id, kind, "mail not sent, next attempt in {pause:#}: {error}");
            tx.execute(
                "update notifications.messages set attempts = $2, error = $3, next_attempt_at = $4 where id = $1",
                &[&id, &attempt, &error, &(kernel.env().now() + pause)],
            )
            .await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

fn letter(from: &Mailbox, recipient: &str, subject: String, text: String, html: String) -> Result<Message> {
    let bad = |error: &dyn std::fmt::Display| Error::internal(error.to_string());
    Message::builder()
        .from(from.clone())
        .to(recipient.parse().map_err(|error| bad(&error))?)
        .subject(subject)
        .multipart(MultiPart::alternative_plain_html(text, html))
        .map_err(|error| bad(&error))
}
