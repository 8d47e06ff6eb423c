//! Messages of an organisation on their way into the queue.

use jiff::Timestamp;
use tenon_sdk::{Kernel, Result, TenantTx, UserId};
use uuid::Uuid;

/// A mail or text message about something in an organisation.
pub(super) struct Draft {
    channel: &'static str,
    kind: String,
    recipient: String,
    subject: String,
    text: String,
    html: String,
    due: Timestamp,
    /// Whom it is for, if they have an account.
    pub(super) user: Option<UserId>,
    /// What the bell shows of the same.
    pub(super) notice: Option<Uuid>,
}

impl Draft {
    pub(super) fn mail(
        kind: &str,
        recipient: &str,
        subject: &str,
        text: String,
        html: String,
        due: Timestamp,
    ) -> Self {
        Self {
            channel: "mail",
            kind: kind.to_owned(),
            recipient: recipient.to_owned(),
            // A name in it may have line breaks, which would begin another header.
            subject: subject.replace(char::is_control, " "),
            text,
            html,
            due,
            user: None,
            notice: None,
        }
    }

    pub(super) fn sms(kind: &str, recipient: &str, text: String, due: Timestamp) -> Self {
        Self {
            channel: "sms",
            ..Self::mail(kind, recipient, "", text, String::new(), due)
        }
    }

    /// The state it begins in, and why it is not sent.
    fn state(&self, kernel: &Kernel, now: Timestamp) -> (&'static str, Option<&'static str>) {
        let config = kernel.config();
        let (sends, missing, keeps) = match self.channel {
            "sms" => (
                config.auth.sms.provider.is_some(),
                "auth.sms.provider is not set",
                config.auth.sms.mailbox,
            ),
            _ => (false, config.mail.missing(), true),
        };
        // The mailbox shows what has come, not what is still to come.
        let in_mailbox = config.mail.mailbox && keeps && !sends;
        let sends = sends || (self.channel == "mail" && config.mail.sends());
        match (in_mailbox, sends) {
            (true, _) if self.due <= now => ("kept", None),
            (true, _) | (_, true) => ("queued", None),
            (false, false) => ("failed", Some(missing)),
        }
    }
}

/// Puts messages into the queue, as part of `tx`. Where nobody carries them, that is recorded.
pub(super) async fn put(kernel: &Kernel, tx: &TenantTx, drafts: Vec<Draft>) -> Result<()> {
    if drafts.is_empty() {
        return Ok(());
    }
    let now = kernel.env().now();
    let ids: Vec<Uuid> = drafts.iter().map(|_| kernel.env().new_id()).collect();
    let (states, errors): (Vec<_>, Vec<_>) = drafts.iter().map(|draft| draft.state(kernel, now)).unzip();
    let texts = |of: fn(&Draft) -> &str| drafts.iter().map(of).collect::<Vec<&str>>();
    tx.query(
        "select notifications.put_messages($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        &[
            &ids,
            &drafts.iter().map(|draft| draft.user).collect::<Vec<_>>(),
            &drafts.iter().map(|draft| draft.notice).collect::<Vec<_>>(),
            &texts(|draft| draft.channel),
            &texts(|draft| &draft.kind),
            &texts(|draft| &draft.recipient),
            &texts(|draft| &draft.subject),
            &texts(|draft| &draft.text),
            &texts(|draft| &draft.html),
            &states,
            &errors,
            &drafts.iter().map(|draft| draft.due).collect::<Vec<_>>(),
            &now,
        ],
    )
    .await
    .map(drop)
}
