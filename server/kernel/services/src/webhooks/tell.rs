//! The consumer that turns events into messages and deliveries.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tenon_sdk::{
    Error, Kernel, OrgId, Result, TenantTx, UserId,
    events::{Consumer, Recorded, names},
};
use uuid::Uuid;

use super::deliver;

/// A message as it is sent.
#[derive(Serialize)]
pub(super) struct Told<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    pub(super) timestamp: Timestamp,
    pub(super) data: Data<'a>,
}

/// What is told of an event.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    pub(super) organization: OrgId,
    /// The event's number in the organisation; a receiver that needs the order has it by this.
    pub(super) sequence: Option<i64>,
    pub(super) subject: Option<Uuid>,
    pub(super) actor: Option<UserId>,
    pub(super) details: &'a Value,
}

impl Told<'_> {
    pub(super) fn body(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }
}

/// Tells endpoints.
pub(super) struct Tell;

impl Consumer for Tell {
    const NAME: &'static str = "webhooks.tell";
    const EVENTS: &'static [&'static str] = &["*"];

    async fn handle(kernel: &Kernel, tx: &TenantTx, events: &[Recorded]) -> Result<()> {
        let org = tx.org_id();
        // Who deletes an endpoint waits until it has its deliveries, which go with it.
        let endpoints = tx
            .query(
                "select id, events from webhooks.endpoints where org_id = $1 and disabled_at is null order by id for key share",
                &[&org],
            )
            .await?;
        if endpoints.is_empty() || !allowed(tx).await? {
            return Ok(());
        }
        let (mut ids, mut kinds, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
        let mut deliveries: Vec<(Uuid, Uuid, &str)> = Vec::new();
        for event in events {
            let before = deliveries.len();
            for row in &endpoints {
                let patterns: Vec<&str> = row.try_get(1)?;
                if patterns.iter().any(|pattern| names(pattern, &event.kind)) {
                    deliveries.push((row.try_get(0)?, event.id, &event.kind));
                }
            }
            if deliveries.len() > before {
                let told = Told {
                    kind: &event.kind,
                    timestamp: event.at,
                    data: Data {
                        organization: org,
                        sequence: Some(event.seq),
                        subject: event.subject,
                        actor: event.actor,
                        details: &event.payload,
                    },
                };
                ids.push(event.id);
                kinds.push(event.kind.as_str());
                bodies.push(told.body()?);
            }
        }
        put_messages(tx, &ids, &kinds, &bodies).await?;
        deliver::begin(kernel, tx, &deliveries).await.map(drop)
    }
}

/// Whether the organisation's plan has webhooks.
pub(super) async fn allowed(tx: &TenantTx) -> Result<bool> {
    Ok(tx.query_one("select webhooks.allowed()", &[]).await?.try_get(0)?)
}

/// Writes messages down.
pub(super) async fn put_messages(
    tx: &TenantTx,
    ids: &[Uuid],
    kinds: &[&str],
    bodies: &[String],
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    tx.execute(
        "insert into webhooks.messages (org_id, id, kind, body) \
         select $1, m.* from unnest($2::uuid[], $3::text[], $4::text[]) m (id, kind, body) \
         on conflict (org_id, id) do nothing",
        &[&tx.org_id(), &ids, &kinds, &bodies],
    )
    .await
    .map(drop)
}
