//! What the bell shows: a person's own notices in an organisation, newest first, and whether they were read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{Error, Result, TenantTx, UserId};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::spread::topic;

/// Notices of one page at most.
const MOST: i64 = 100;
/// Ids of one request at most.
const MOST_IDS: usize = 500;

/// Something a person was told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Notice {
    id: Uuid,
    /// The kind's name.
    kind: String,
    title: String,
    body: String,
    /// A path below the organisation's address.
    link: Option<String>,
    /// The language of the words.
    language: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Timestamp>,
}

/// A page of notices.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NoticePage {
    notices: Vec<Notice>,
    /// How many in all are not read, up to 100.
    unread: i64,
    /// What `before` of the next page is; null: there is none.
    next: Option<Uuid>,
}

/// Which notices.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Older than this one: the `next` of the page before.
    before: Option<Uuid>,
    /// Only what is not read.
    #[serde(default)]
    unread: bool,
    /// At most so many, up to 100.
    limit: Option<i64>,
}

/// The caller as a person: keys of organisations are told nothing.
fn person(tx: &TenantTx) -> Result<UserId> {
    tx.user_id().ok_or_else(|| {
        Error::forbidden("auth.person_required", "This is for people who are signed in.")
            .details("A key of an organisation speaks for no person.")
            .hint("Sign in.")
    })
}

/// A page of the caller's notices.
pub(super) async fn list(tx: &TenantTx, wanted: &Wanted) -> Result<NoticePage> {
    let user = person(tx)?;
    let limit = wanted.limit.unwrap_or(20).clamp(1, MOST);
    let rows = tx
        .query(
            "select id, kind, title, body, link, language, created_at, read_at from notifications.notices \
             where org_id = $1 and user_id = $2 and shown and ($3::uuid is null or id < $3) and (not $4 or read_at is null) \
             order by id desc limit $5",
            &[&tx.org_id(), &user, &wanted.before, &wanted.unread, &(limit + 1)],
        )
        .await?;
    let unread = tx
        .query_one(
            "select count(*) from (select from notifications.notices \
             where org_id = $1 and user_id = $2 and shown and read_at is null limit 100) n",
            &[&tx.org_id(), &user],
        )
        .await?
        .try_get(0)?;
    let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) > limit;
    let notices = rows.iter().take(usize::try_from(limit).unwrap_or(1)).map(|row| {
        Ok(Notice {
            id: row.try_get(0)?,
            kind: row.try_get(1)?,
            title: row.try_get(2)?,
            body: row.try_get(3)?,
            link: row.try_get(4)?,
            language: row.try_get(5)?,
            created_at: row.try_get(6)?,
            read_at: row.try_get(7)?,
        })
    });
    let notices: Vec<Notice> = notices.collect::<Result<_>>()?;
    let next = if more {
        notices.last().map(|notice| notice.id)
    } else {
        None
    };
    Ok(NoticePage {
        notices,
        unread,
        next,
    })
}

/// What was read, or is to count as new again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadState {
    /// Which, at most 500; absent: all up to `until`.
    #[serde(default)]
    ids: Option<Vec<Uuid>>,
    /// The newest that the person has seen: what came since stays new. Absent: all.
    #[serde(default)]
    until: Option<Uuid>,
    /// False: they count as new again.
    #[serde(default = "yes")]
    read: bool,
}

const fn yes() -> bool {
    true
}

/// Marks the caller's notices; gives how many changed. Their other browsers hear of it.
pub(super) async fn mark(tx: &TenantTx, state: &ReadState) -> Result<u64> {
    let user = person(tx)?;
    if state.ids.as_ref().is_some_and(|ids| ids.len() > MOST_IDS) {
        return Err(
            Error::unprocessable("notifications.too_many", "These are too many at once.")
                .details(format!("At most {MOST_IDS} ids are taken."))
                .hint("Mark all up to one with until."),
        );
    }
    let now = state.read.then(|| tx.env().now());
    let changed = tx
        .execute(
            "update notifications.notices set read_at = $3 where org_id = $1 and user_id = $2 and shown \
             and (read_at is null) = $4 and ($5::uuid[] is null or id = any($5)) and ($6::uuid is null or id <= $6)",
            &[&tx.org_id(), &user, &now, &state.read, &state.ids, &state.until],
        )
        .await?;
    if changed > 0 {
        tx.publish([topic(user)], "read", &json!({})).await?;
    }
    Ok(changed)
}
