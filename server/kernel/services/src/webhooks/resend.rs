//! What is sent because somebody asks for it: one delivery again, all that failed, a test.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{Ctx, Result, TenantTx, audit::Action};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    deliver::{self, Deliver},
    endpoints::{self, begin},
    log,
    tell::{self, Data, Told},
};

/// Deliveries that are recovered at once, at most.
const MOST: i64 = 10_000;

/// Since when what failed is sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// What began to be delivered at this moment or later.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// What is sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recovered {
    /// How many deliveries, the oldest ten thousand.
    pub deliveries: usize,
}

/// What a test made.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestSent {
    /// The delivery, to be looked at.
    pub delivery: Uuid,
}

async fn enabled(tx: &TenantTx, endpoint: Uuid) -> Result<()> {
    let row = tx
        .query_opt(
            "select disabled_at is null from webhooks.endpoints where org_id = $1 and id = $2 for key share",
            &[&tx.org_id(), &endpoint],
        )
        .await?
        .ok_or_else(endpoints::not_found)?;
    if row.try_get(0)? {
        return Ok(());
    }
    Err(endpoints::disabled())
}

/// Sends one delivery again, whatever has become of it.
pub(super) async fn one(ctx: &Ctx, id: Uuid) -> Result<()> {
    let tx = begin(ctx).await?;
    let row = tx
        .query_opt(
            "update webhooks.deliveries set state = 'pending', round = round + 1, tries = 0, next_at = now(), over_at = null \
             where org_id = $1 and id = $2 returning endpoint_id, round",
            &[&tx.org_id(), &id],
        )
        .await?
        .ok_or_else(log::not_found)?;
    let endpoint: Uuid = row.try_get(0)?;
    enabled(&tx, endpoint).await?;
    let job = Deliver {
        delivery: id,
        endpoint,
        round: row.try_get(1)?,
    };
    deliver::enqueue(ctx.kernel(), &tx, &[job]).await?;
    note(&tx, "webhooks.delivery.resend", id, json!({})).await?;
    tx.commit().await
}

/// Sends again what an endpoint has not taken since a moment: what failed, and what waits after a failure.
pub(super) async fn recover(ctx: &Ctx, endpoint: Uuid, since: Timestamp) -> Result<Recovered> {
    let tx = begin(ctx).await?;
    enabled(&tx, endpoint).await?;
    let rows = tx
        .query(
            "update webhooks.deliveries set state = 'pending', round = round + 1, tries = 0, next_at = now(), over_at = null \
             where org_id = $1 and id in (select o.id from webhooks.deliveries o where o.org_id = $1 and o.endpoint_id = $2 \
             and o.created_at >= $3 and (o.state = 'failed' or o.state = 'pending' and o.tries > 0) \
             order by o.id limit $4 for update) returning id, round",
            &[&tx.org_id(), &endpoint, &since, &MOST],
        )
        .await?;
    let mut jobs = rows
        .iter()
        .map(|row| {
            Ok(Deliver {
                delivery: row.try_get(0)?,
                endpoint,
                round: row.try_get(1)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    jobs.sort_unstable_by_key(|job| job.delivery);
    deliver::enqueue(ctx.kernel(), &tx, &jobs).await?;
    let particulars = json!({ "since": since, "deliveries": jobs.len() });
    note(&tx, "webhooks.endpoint.recover", endpoint, particulars).await?;
    tx.commit().await?;
    Ok(Recovered {
        deliveries: jobs.len(),
    })
}

/// Sends an endpoint a message that tells of nothing.
pub(super) async fn test(ctx: &Ctx, endpoint: Uuid) -> Result<TestSent> {
    const KIND: &str = "webhooks.test";
    let tx = begin(ctx).await?;
    enabled(&tx, endpoint).await?;
    let (id, details) = (tx.env().new_id(), json!({ "message": "This is a test." }));
    let told = Told {
        kind: KIND,
        timestamp: tx.env().now(),
        data: Data {
            organization: tx.org_id(),
            sequence: None,
            subject: Some(endpoint),
            actor: tx.user_id(),
            details: &details,
        },
    };
    tell::put_messages(&tx, &[id], &[KIND], &[told.body()?]).await?;
    let made = deliver::begin(ctx.kernel(), &tx, &[(endpoint, id, KIND)]).await?;
    note(&tx, "webhooks.endpoint.test", endpoint, json!({})).await?;
    tx.commit().await?;
    let delivery = made.first().copied().ok_or_else(endpoints::not_found)?;
    Ok(TestSent { delivery })
}

async fn note(tx: &TenantTx, name: &str, row: Uuid, details: serde_json::Value) -> Result<()> {
    let row = row.to_string();
    let action = Action {
        row: Some(&row),
        details,
        ..Action::new(name)
    };
    tx.audit(&action).await
}
