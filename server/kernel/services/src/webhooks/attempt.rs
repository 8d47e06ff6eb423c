//! One attempt: what is to be sent, the call, and what came back.

use std::time::Duration;

use tenon_sdk::{Ctx, Error, Result, TenantTx, outbound::Request};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    deliver::{Deliver, is_own},
    model, secrets, sign,
};

/// Bytes of an answer that are kept.
const KEPT: usize = 2048;

/// What is to be sent.
pub(super) enum Letter {
    /// This, there.
    Written(Written),
    /// Nothing, since the endpoint is to be told nothing, for this reason.
    Refused(&'static str),
}

/// A message and its address.
pub(super) struct Written {
    url: String,
    message: Uuid,
    body: String,
}

/// What an endpoint said.
#[derive(Debug, Default)]
pub(super) struct Answered {
    pub(super) status: Option<u16>,
    /// The code of what went wrong, if there is no status.
    pub(super) error: Option<String>,
    pub(super) retry_after: Option<Duration>,
    millis: i32,
    text: String,
}

impl Answered {
    /// Nobody was asked.
    pub(super) fn refused(reason: &str) -> Self {
        Self {
            error: Some(reason.to_owned()),
            ..Self::default()
        }
    }
}

/// What a job is to send; none: there is nothing to do any more.
pub(super) async fn fetch(ctx: &Ctx, job: &Deliver) -> Result<Option<Letter>> {
    let tx = ctx.begin().await?;
    let row = tx
        .query_opt(
            "select e.url, e.disabled_at is not null, webhooks.allowed(), m.id, m.body from webhooks.deliveries d \
             join webhooks.endpoints e on e.org_id = $1 and e.id = d.endpoint_id \
             join webhooks.messages m on m.org_id = $1 and m.id = d.message_id \
             where d.org_id = $1 and d.id = $2 and d.round = $3 and d.state = 'pending'",
            &[&ctx.org_id(), &job.delivery, &job.round],
        )
        .await?;
    tx.commit().await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(if row.try_get(1)? {
        Letter::Refused("webhooks.endpoint_disabled")
    } else if !row.try_get::<_, bool>(2)? {
        Letter::Refused("tenancy.not_in_plan")
    } else {
        Letter::Written(Written {
            url: row.try_get(0)?,
            message: row.try_get(3)?,
            body: row.try_get(4)?,
        })
    }))
}

/// Calls the endpoint. Whatever it does wrong is an answer; errors are Tenon's own.
pub(super) async fn call(ctx: &Ctx, job: &Deliver, letter: &Written) -> Result<Answered> {
    let kernel = ctx.kernel();
    let secrets = secrets::valid(ctx, job.endpoint).await?;
    if secrets.is_empty() {
        return Err(Error::internal(
            "an endpoint has no secret; nothing is sent unsigned",
        ));
    }
    let (id, at) = (
        letter.message.to_string(),
        kernel.env().now().as_second().to_string(),
    );
    let signatures = secrets
        .iter()
        .map(|secret| sign::signature(secret.expose(), &id, &at, &letter.body))
        .collect::<Result<Vec<_>>>()?;
    let request = Request::post(&letter.url)
        .header("webhook-id", &id)
        .header("webhook-timestamp", &at)
        .header("webhook-signature", &signatures.join(" "))
        .body("application/json", letter.body.clone())
        .within(Duration::from_secs(
            kernel.config().webhooks.timeout_seconds.clamp(1, 300),
        ))
        .first(KEPT);
    let began = Instant::now();
    let sent = async {
        // A name without TLS that led inside yesterday may lead outside today.
        if !letter.url.starts_with("https://") {
            kernel.outbound().check_address(&letter.url).await?;
        }
        kernel.outbound().send(request).await
    };
    let answered = match sent.await {
        Ok(answer) => Answered {
            status: Some(answer.status),
            retry_after: answer.retry_after(kernel.env().now()),
            text: model::text(&answer.body),
            ..Answered::default()
        },
        Err(error) if is_own(&error) => return Err(error),
        Err(Error { code, .. }) => Answered {
            error: Some(code.into_owned()),
            ..Answered::default()
        },
    };
    let millis = i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX);
    Ok(Answered { millis, ..answered })
}

/// Writes an attempt down.
pub(super) async fn put(tx: &TenantTx, delivery: Uuid, n: i32, answered: &Answered) -> Result<()> {
    tx.execute(
        "insert into webhooks.attempts (org_id, delivery_id, n, at, status, duration_ms, answer, error) \
         values ($1, $2, $3, now(), $4, $5, $6, $7)",
        &[
            &tx.org_id(),
            &delivery,
            &n,
            &answered.status.map(i32::from),
            &answered.millis,
            &answered.text,
            &answered.error,
        ],
    )
    .await
    .map(drop)
}
