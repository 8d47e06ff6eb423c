//! Deliveries as jobs: one job is one attempt.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{
    Kernel, Result, TenantTx,
    db::{EnqueueOptions, JobLimit},
    error::{Error, Kind},
    events::Event,
    jobs::{Job, JobCtx},
};
use uuid::Uuid;

use super::{
    attempt::{self, Answered, Letter},
    model::{self, Outcome},
    notice::{Reason, TellOwners},
};

/// Makes one attempt.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Deliver {
    pub(super) delivery: Uuid,
    pub(super) endpoint: Uuid,
    /// Only while the delivery is in this round.
    pub(super) round: i32,
}

impl Job for Deliver {
    const NAME: &'static str = "webhooks.deliver";
    // Of the job, not of the delivery: a worker that dies over it, a database that is away.
    const MAX_ATTEMPTS: i32 = 20;
    const WAITS: bool = true;

    async fn run(self, job: JobCtx) -> Result<()> {
        let ctx = job.ctx();
        let Some(letter) = attempt::fetch(&ctx, &self).await? else {
            return Ok(());
        };
        let answered = match &letter {
            Letter::Refused(reason) => Answered::refused(reason),
            Letter::Written(written) => attempt::call(&ctx, &self, written).await?,
        };
        self.note(&job, &letter, &answered).await
    }
}

/// Enqueued so, whatever for: so many at a time to one endpoint.
fn options(kernel: &Kernel, endpoint: Uuid, delay: Duration) -> EnqueueOptions {
    EnqueueOptions {
        delay,
        limit: Some(JobLimit {
            key: format!("webhooks:{endpoint}"),
            concurrent: Some(kernel.config().webhooks.at_once.max(1)),
            rate: None,
        }),
        ..EnqueueOptions::default()
    }
}

/// Enqueues attempts that are due now.
pub(super) async fn enqueue(kernel: &Kernel, tx: &TenantTx, jobs: &[Deliver]) -> Result<()> {
    let each: Vec<_> = jobs
        .iter()
        .map(|job| (job, options(kernel, job.endpoint, Duration::ZERO)))
        .collect();
    tx.enqueue_all(&each).await.map(drop)
}

/// Makes deliveries, each of an endpoint, a message and its kind, and enqueues their first attempts; gives their ids.
pub(super) async fn begin(
    kernel: &Kernel,
    tx: &TenantTx,
    deliveries: &[(Uuid, Uuid, &str)],
) -> Result<Vec<Uuid>> {
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = deliveries.iter().map(|_| tx.env().new_id()).collect();
    let endpoints: Vec<Uuid> = deliveries.iter().map(|(endpoint, ..)| *endpoint).collect();
    let messages: Vec<Uuid> = deliveries.iter().map(|(_, message, _)| *message).collect();
    let kinds: Vec<&str> = deliveries.iter().map(|(.., kind)| *kind).collect();
    tx.execute(
        "insert into webhooks.deliveries (org_id, id, endpoint_id, message_id, kind, next_at) \
         select $1, d.*, now() from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[]) d (id, endpoint, message, kind)",
        &[&tx.org_id(), &ids, &endpoints, &messages, &kinds],
    )
    .await?;
    let jobs: Vec<Deliver> = ids
        .iter()
        .zip(&endpoints)
        .map(|(delivery, endpoint)| Deliver {
            delivery: *delivery,
            endpoint: *endpoint,
            round: 1,
        })
        .collect();
    enqueue(kernel, tx, &jobs).await?;
    Ok(ids)
}

impl Deliver {
    /// Writes down what came of the attempt, what comes next, and the end of the job, all at once.
    async fn note(&self, job: &JobCtx, letter: &Letter, answered: &Answered) -> Result<()> {
        let (kernel, tx) = (job.kernel(), job.ctx().begin().await?);
        let days = kernel.config().webhooks.disable_days.max(1);
        // The endpoint first, as whoever deletes it does.
        let endpoint = tx
            .query_opt(
                "select disabled_at is not null, failing_since is not null, \
                 coalesce(failing_since < now() - make_interval(days => $3), false) \
                 from webhooks.endpoints where org_id = $1 and id = $2 for no key update",
                &[&tx.org_id(), &self.endpoint, &days],
            )
            .await?;
        let delivery = tx
            .query_opt(
                "select tries, attempts from webhooks.deliveries \
                 where org_id = $1 and id = $2 and round = $3 and state = 'pending' for update",
                &[&tx.org_id(), &self.delivery, &self.round],
            )
            .await?;
        let (Some(endpoint), Some(delivery)) = (endpoint, delivery) else {
            // Deleted meanwhile, or sent again.
            return Ok(());
        };
        let (tries, attempts): (i32, i32) = (delivery.try_get(0)?, delivery.try_get(1)?);
        if matches!(letter, Letter::Refused(_)) {
            self.put(&tx, (tries, attempts), answered, Outcome::Over, None)
                .await?;
            return job.finish(tx).await;
        }
        let mut random = [0; 2];
        kernel.env().fill_random(&mut random);
        let jitter = f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
        let outcome = model::outcome(answered.status, tries + 1, answered.retry_after, jitter);
        let pause = match outcome {
            Outcome::Again(seconds) => Some(seconds),
            _ => None,
        };
        attempt::put(&tx, self.delivery, attempts + 1, answered).await?;
        self.put(&tx, (tries + 1, attempts + 1), answered, outcome, pause)
            .await?;
        if let Some(seconds) = pause {
            let delay = Duration::from_secs_f64(seconds);
            tx.enqueue_with(self, options(kernel, self.endpoint, delay))
                .await?;
        }
        let (disabled, failing, long): (bool, bool, bool) =
            (endpoint.try_get(0)?, endpoint.try_get(1)?, endpoint.try_get(2)?);
        if outcome == Outcome::Taken {
            if failing {
                self.failing(&tx, false).await?;
            }
        } else if !disabled {
            if outcome == Outcome::Gone {
                self.switch_off(&tx, Reason::Gone).await?;
            } else if long {
                self.switch_off(&tx, Reason::Failing).await?;
            } else if !failing {
                self.failing(&tx, true).await?;
            }
        }
        job.finish(tx).await
    }

    async fn put(
        &self,
        tx: &TenantTx,
        (tries, attempts): (i32, i32),
        answered: &Answered,
        outcome: Outcome,
        pause: Option<f64>,
    ) -> Result<()> {
        let state = match outcome {
            Outcome::Taken => "delivered",
            Outcome::Again(_) => "pending",
            Outcome::Gone | Outcome::Over => "failed",
        };
        let status = answered.status.map(i32::from);
        tx.execute(
            "update webhooks.deliveries set state = $3, tries = $4, attempts = $5, status = $6, error = $7, \
             next_at = now() + make_interval(secs => $8), over_at = case when $8::float8 is null then now() end \
             where org_id = $1 and id = $2",
            &[&tx.org_id(), &self.delivery, &state, &tries, &attempts, &status, &answered.error, &pause],
        )
        .await
        .map(drop)
    }

    async fn failing(&self, tx: &TenantTx, failing: bool) -> Result<()> {
        tx.execute(
            "update webhooks.endpoints set failing_since = case when $3 then now() end where org_id = $1 and id = $2",
            &[&tx.org_id(), &self.endpoint, &failing],
        )
        .await
        .map(drop)
    }

    async fn switch_off(&self, tx: &TenantTx, reason: Reason) -> Result<()> {
        tx.execute(
            "update webhooks.endpoints set disabled_at = now(), disabled_because = $3 \
             where org_id = $1 and id = $2",
            &[&tx.org_id(), &self.endpoint, &reason.as_str()],
        )
        .await?;
        let particulars = json!({ "because": reason.as_str() });
        tx.emit(&Event::new(
            "webhooks.endpoint_disabled",
            self.endpoint,
            particulars,
        ))
        .await?;
        let notice = TellOwners {
            endpoint: self.endpoint,
            reason,
        };
        tx.enqueue(&notice).await.map(drop)
    }
}

/// Whether a failure is Tenon's own, so that it says nothing of the endpoint.
pub(super) fn is_own(error: &Error) -> bool {
    matches!(error.kind, Kind::Internal)
        || error.code.starts_with("secrets.")
        || error.code.starts_with("database.")
}
