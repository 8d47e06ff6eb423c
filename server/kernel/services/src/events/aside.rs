//! How far consumers have come in an organisation, what they could not handle, and what people do about that.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Kernel, OrgId, Result, SystemTx, UserId, audit::Action};
use utoipa::ToSchema;
use uuid::Uuid;

/// Events put aside that are shown of one consumer.
const MOST: i64 = 100;

/// Where a consumer stands in an organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Place {
    /// The consumer.
    #[schema(example = "webhooks.deliver")]
    pub consumer: String,
    /// Events that it has not looked at.
    pub behind: i64,
    /// Failures of the next event.
    pub attempts: i32,
    /// Why it failed last.
    #[schema(value_type = Option<Object>)]
    pub error: Option<Value>,
    /// When it is tried again.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    /// How many events were put aside.
    pub aside: i64,
    /// The first hundred of them.
    pub events: Vec<Aside>,
}

/// An event that a consumer could not handle.
#[derive(Debug, Serialize, ToSchema)]
pub struct Aside {
    /// By which it is named here.
    pub id: Uuid,
    /// Its number in the organisation.
    pub seq: i64,
    /// What happened.
    #[schema(example = "purchasing.import_committed")]
    pub kind: String,
    /// To what.
    pub subject: Option<Uuid>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// How often it was tried.
    pub attempts: i32,
    /// Why it failed last.
    #[schema(value_type = Option<Object>)]
    pub error: Option<Value>,
    /// Whether it is about to be tried again.
    pub retrying: bool,
}

/// Where the consumers of this server stand in an organisation.
pub async fn places(kernel: &Kernel, org: OrgId) -> Result<Vec<Place>> {
    let names: Vec<&str> = kernel.consumers().map(|consumer| consumer.name).collect();
    let tx = SystemTx::begin(kernel.db(), "places of consumers").await?;
    let rows = tx
        .query(
            "select c.name, coalesce(s.last, 0) - coalesce(k.seq, 0), coalesce(k.attempts, 0), k.error, k.next_at, \
             (select count(*) from events.aside a where a.org_id = $1 and a.consumer = c.name) \
             from unnest($2::text[]) c (name) left join events.sequences s on s.org_id = $1 \
             left join events.cursors k on k.org_id = $1 and k.consumer = c.name order by c.name",
            &[&org, &names],
        )
        .await?;
    let mut places = Vec::new();
    for row in &rows {
        let consumer: String = row.try_get(0)?;
        let events = tx
            .query(
                "select id, seq, kind, subject, at, attempts, error, retry_at is not null from events.aside \
                 where org_id = $1 and consumer = $2 order by seq limit $3",
                &[&org, &consumer, &MOST],
            )
            .await?;
        places.push(Place {
            consumer,
            behind: row.try_get::<_, i64>(1)?.max(0),
            attempts: row.try_get(2)?,
            error: row.try_get(3)?,
            next_at: row.try_get(4)?,
            aside: row.try_get(5)?,
            events: events
                .iter()
                .map(|row| {
                    Ok(Aside {
                        id: row.try_get(0)?,
                        seq: row.try_get(1)?,
                        kind: row.try_get(2)?,
                        subject: row.try_get(3)?,
                        at: row.try_get(4)?,
                        attempts: row.try_get(5)?,
                        error: row.try_get(6)?,
                        retrying: row.try_get(7)?,
                    })
                })
                .collect::<Result<_>>()?,
        });
    }
    tx.commit().await?;
    Ok(places)
}

fn not_found() -> Error {
    Error::not_found(
        "events.aside_not_found",
        "There is no such event that was put aside.",
    )
}

async fn note(
    tx: &SystemTx,
    org: OrgId,
    by: Option<UserId>,
    name: &str,
    row: &tokio_postgres::Row,
) -> Result<()> {
    let (consumer, seq): (&str, i64) = (row.try_get(0)?, row.try_get(1)?);
    let id = row.try_get::<_, Uuid>(2)?.to_string();
    let action = Action {
        table: Some("events.aside"),
        row: Some(&id),
        details: json!({ "consumer": consumer, "seq": seq, "by": by }),
        ..Action::new(name)
    };
    tx.audit(org, &action).await
}

/// Has an event that was put aside handed over once more, behind what has happened since.
pub async fn retry_aside(kernel: &Kernel, org: OrgId, by: Option<UserId>, id: Uuid) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "an event tried again").await?;
    let row = tx
        .query_opt(
            "update events.aside set retry_at = coalesce(retry_at, now()) where org_id = $1 and id = $2 \
             returning consumer, seq, id",
            &[&org, &id],
        )
        .await?
        .ok_or_else(not_found)?;
    note(&tx, org, by, "events.aside.retry", &row).await?;
    tx.query("select pg_notify('tenon_events', $1)", &[&org.to_string()])
        .await?;
    tx.commit().await
}

/// Gives up an event that was put aside.
pub async fn drop_aside(kernel: &Kernel, org: OrgId, by: Option<UserId>, id: Uuid) -> Result<()> {
    let tx = SystemTx::begin(kernel.db(), "an event given up").await?;
    let row = tx
        .query_opt(
            "delete from events.aside where org_id = $1 and id = $2 returning consumer, seq, id",
            &[&org, &id],
        )
        .await?
        .ok_or_else(not_found)?;
    note(&tx, org, by, "events.aside.drop", &row).await?;
    tx.commit().await
}
