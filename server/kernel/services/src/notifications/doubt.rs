//! Messages that did not simply go out, for those who run the installation: what may have been sent or not, and what was given up.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenon_sdk::{Error, Kernel, Result, SystemTx};
use tokio_postgres::Row;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Rows of one page, and one more, which says that there is another.
const PAGE: usize = 50;
const ASKED: i64 = 51;

/// The state of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MessageState {
    /// It waits for its time.
    Queued,
    /// It is being handed on.
    Sending,
    /// Whoever carries it took it.
    Sent,
    /// It was given up.
    Failed,
    /// It may have been taken or not.
    Uncertain,
    /// It is in the mailbox of a development installation.
    Kept,
}

impl MessageState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Uncertain => "uncertain",
            Self::Kept => "kept",
        }
    }
}

/// The record of a message, without what it says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageRow {
    id: Uuid,
    /// `mail` or `sms`.
    channel: String,
    /// `module.message`.
    kind: String,
    recipient: String,
    subject: String,
    /// As in the list's filter.
    state: String,
    /// Who carries it: `smtp`, `sendgrid`, `resend`, `ses`, `twilio` …; null: nobody was asked yet.
    provider: Option<String>,
    /// What they call it.
    provider_id: Option<String>,
    attempts: i32,
    error: Option<String>,
    /// Whether it can be sent again by hand; one with a link or code that is as good as a password cannot: people ask for another.
    repeatable: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Timestamp>,
    /// When it is looked at next.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
}

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessagePage {
    messages: Vec<MessageRow>,
    /// Those in doubt, up to 1000.
    uncertain: i64,
    /// What `before` of the next page is; null: there is none.
    next: Option<Uuid>,
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessagesWanted {
    /// In this state; absent: uncertain.
    #[param(inline)]
    state: Option<MessageState>,
    /// Older than this one: the `next` of the page before.
    before: Option<Uuid>,
}

const COLUMNS: &str = "id, channel, kind, recipient, subject, state, provider, provider_id, attempts, error, \
    not proof and body_text <> '' and state in ('uncertain', 'failed'), created_at, sent_at, next_attempt_at";

fn row(row: &Row) -> Result<MessageRow> {
    Ok(MessageRow {
        id: row.try_get(0)?,
        channel: row.try_get(1)?,
        kind: row.try_get(2)?,
        recipient: row.try_get(3)?,
        subject: row.try_get(4)?,
        state: row.try_get(5)?,
        provider: row.try_get(6)?,
        provider_id: row.try_get(7)?,
        attempts: row.try_get(8)?,
        error: row.try_get(9)?,
        repeatable: row.try_get(10)?,
        created_at: row.try_get(11)?,
        sent_at: row.try_get(12)?,
        next_attempt_at: row.try_get(13)?,
    })
}

/// A page of messages in a state, newest first.
pub(crate) async fn list(kernel: &Kernel, wanted: &MessagesWanted) -> Result<MessagePage> {
    let state = wanted.state.unwrap_or(MessageState::Uncertain);
    let tx = SystemTx::begin(kernel.db(), "operator: messages").await?;
    let rows = tx
        .query(
            &format!(
                "select {COLUMNS} from notifications.messages where state = $1 and ($2::uuid is null or (created_at, id) < \
                 (select m.created_at, m.id from notifications.messages m where m.id = $2)) \
                 order by created_at desc, id desc limit $3"
            ),
            &[&state.as_str(), &wanted.before, &ASKED],
        )
        .await?;
    let uncertain = tx
        .query_one(
            "select count(*) from (select from notifications.messages where state = 'uncertain' limit 1000) m",
            &[],
        )
        .await?
        .try_get(0)?;
    tx.commit().await?;
    let more = rows.len() > PAGE;
    let messages = rows.iter().take(PAGE).map(row);
    let messages: Vec<MessageRow> = messages.collect::<Result<_>>()?;
    let next = if more {
        messages.last().map(|last| last.id)
    } else {
        None
    };
    Ok(MessagePage {
        messages,
        uncertain,
        next,
    })
}

/// What an operator decides of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    /// It is sent again, though it may come twice.
    SendAgain,
    /// It counts as sent.
    CountsAsSent,
    /// It counts as lost.
    GiveUp,
}

/// What an operator decides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resolution {
    pub(crate) decision: Decision,
}

/// Does what an operator decided, as part of their transaction; gives the kind of the message.
///
/// Errors: `notifications.message_not_found`, `notifications.message_settled`, `notifications.message_not_kept`.
pub(crate) async fn resolve(
    tx: &SystemTx,
    now: Timestamp,
    operator: Uuid,
    id: Uuid,
    decision: Decision,
) -> Result<String> {
    let found = tx
        .query_opt(
            "select kind, state, not proof and body_text <> '' from notifications.messages where id = $1 for update",
            &[&id],
        )
        .await?
        .ok_or_else(|| Error::not_found("notifications.message_not_found", "There is no such message."))?;
    let (kind, state, kept): (String, String, bool) =
        (found.try_get(0)?, found.try_get(1)?, found.try_get(2)?);
    let open = match decision {
        Decision::SendAgain => ["uncertain", "failed"].contains(&state.as_str()),
        Decision::CountsAsSent | Decision::GiveUp => state == "uncertain",
    };
    if !open {
        return Err(Error::conflict(
            "notifications.message_settled",
            "Nothing is to be decided of this message.",
        )
        .details(format!("It is {state}.")));
    }
    if decision == Decision::SendAgain && !kept {
        return Err(Error::conflict(
            "notifications.message_not_kept",
            "This message cannot be sent again: what it said is not kept.",
        )
        .hint("Links and codes are as good as passwords; the person asks for another."));
    }
    // Attempts go on from where they were: a word that comes late from a try before this is no word on the next.
    let sql = match decision {
        Decision::SendAgain => {
            "update notifications.messages set state = 'queued', next_attempt_at = $2, first_armed_at = null, asked = 0, \
             attempts = case when attempts >= 7 then 0 else attempts end, error = null, resolved_by = $3, resolved_at = $2 \
             where id = $1"
        }
        Decision::CountsAsSent => {
            "update notifications.messages set state = 'sent', next_attempt_at = null, sent_at = $2, body_text = '', \
             body_html = '', resolved_by = $3, resolved_at = $2 where id = $1"
        }
        Decision::GiveUp => {
            "update notifications.messages set state = 'failed', next_attempt_at = null, \
             resolved_by = $3, resolved_at = $2 where id = $1"
        }
    };
    tx.execute(sql, &[&id, &now, &operator]).await?;
    Ok(kind)
}
