//! The log of deliveries.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenon_sdk::{Error, Result, TenantTx, events};
use tokio_postgres::Row;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Deliveries of one answer, at most.
const MOST: i64 = 100;
/// Columns of [`Delivery::read`].
const COLUMNS: &str = "d.id, d.endpoint_id, d.message_id, d.kind, d.state, d.attempts, d.next_at, d.status, d.error, \
    d.created_at, d.over_at";

/// What has become of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It waits for its first attempt or the next.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// The endpoint did not take it, and is not tried any more.
    Failed,
}

impl DeliveryState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Of this endpoint.
    endpoint: Option<Uuid>,
    /// In this state.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// Of this kind of event, or of all kinds of a module as `purchasing.*`.
    event: Option<String>,
    /// Older than this one, the `next` of the page before.
    before: Option<Uuid>,
    /// At most so many, up to 100.
    limit: Option<i64>,
}

/// A message on its way to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delivery {
    /// Its id.
    pub id: Uuid,
    /// To which endpoint.
    pub endpoint_id: Uuid,
    /// The message, which is the event's id and `webhook-id`.
    pub message_id: Uuid,
    /// The kind of event.
    #[serde(rename = "type")]
    #[schema(example = "purchasing.import_committed")]
    pub kind: String,
    /// What has become of it.
    #[schema(value_type = DeliveryState)]
    pub state: String,
    /// How often the endpoint was called.
    pub attempts: i32,
    /// When it is called next.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    /// The status of its last answer.
    pub status: Option<i32>,
    /// Why there was none, as a code.
    pub error: Option<String>,
    /// Since when it is on its way.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub over_at: Option<Timestamp>,
}

/// A page of the log, youngest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryPage {
    /// Deliveries.
    pub items: Vec<Delivery>,
    /// Where the next page begins; none: this is the last.
    pub next: Option<Uuid>,
}

/// One call.
#[derive(Debug, Serialize, ToSchema)]
pub struct Attempt {
    /// From 1.
    pub n: i32,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The status of the answer.
    pub status: Option<i32>,
    /// How long it took.
    pub duration_ms: i32,
    /// The first bytes of the answer.
    pub answer: String,
    /// Why there was none, as a code.
    #[schema(example = "outbound.timeout")]
    pub error: Option<String>,
}

/// A delivery with all there is to tell of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryDetail {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// What is sent.
    pub body: String,
    /// The calls, the last hundred, oldest first.
    pub calls: Vec<Attempt>,
}

impl Delivery {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            endpoint_id: row.try_get(1)?,
            message_id: row.try_get(2)?,
            kind: row.try_get(3)?,
            state: row.try_get(4)?,
            attempts: row.try_get(5)?,
            next_at: row.try_get(6)?,
            status: row.try_get(7)?,
            error: row.try_get(8)?,
            created_at: row.try_get(9)?,
            over_at: row.try_get(10)?,
        })
    }
}

pub(super) fn not_found() -> Error {
    Error::not_found("webhooks.delivery_not_found", "There is no such delivery.")
}

/// A page.
pub(super) async fn page(tx: &TenantTx, wanted: &Wanted) -> Result<DeliveryPage> {
    let kind = wanted
        .event
        .as_deref()
        .map(str::trim)
        .filter(|kind| !kind.is_empty());
    if kind.is_some_and(|kind| !events::is_pattern(kind)) {
        return Ok(DeliveryPage {
            items: Vec::new(),
            next: None,
        });
    }
    let limit = wanted.limit.unwrap_or(50).clamp(1, MOST);
    let state = wanted.state.map(DeliveryState::as_str);
    let rows = tx
        .query(
            &format!(
                "select {COLUMNS} from webhooks.deliveries d where d.org_id = $1 and ($2::uuid is null or d.endpoint_id = $2) \
                 and ($3::text is null or d.state = $3) and ($4::text is null or d.kind like $4) \
                 and ($5::uuid is null or d.id < $5) order by d.id desc limit $6"
            ),
            &[&tx.org_id(), &wanted.endpoint, &state, &kind.map(events::as_like), &wanted.before, &(limit + 1)],
        )
        .await?;
    let mut items = rows.iter().map(Delivery::read).collect::<Result<Vec<_>>>()?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > shown;
    items.truncate(shown);
    let next = items.last().filter(|_| more).map(|last| last.id);
    Ok(DeliveryPage { items, next })
}

/// One delivery.
pub(super) async fn one(tx: &TenantTx, id: Uuid) -> Result<DeliveryDetail> {
    let row = tx
        .query_opt(
            &format!(
                "select {COLUMNS}, m.body from webhooks.deliveries d \
                 join webhooks.messages m on m.org_id = $1 and m.id = d.message_id where d.org_id = $1 and d.id = $2"
            ),
            &[&tx.org_id(), &id],
        )
        .await?
        .ok_or_else(not_found)?;
    let calls = tx
        .query(
            "select n, at, status, duration_ms, answer, error from webhooks.attempts \
             where org_id = $1 and delivery_id = $2 order by n desc limit 100",
            &[&tx.org_id(), &id],
        )
        .await?;
    let calls = calls.iter().rev().map(|row| {
        Ok(Attempt {
            n: row.try_get(0)?,
            at: row.try_get(1)?,
            status: row.try_get(2)?,
            duration_ms: row.try_get(3)?,
            answer: row.try_get(4)?,
            error: row.try_get(5)?,
        })
    });
    Ok(DeliveryDetail {
        delivery: Delivery::read(&row)?,
        body: row.try_get(11)?,
        calls: calls.collect::<Result<_>>()?,
    })
}
