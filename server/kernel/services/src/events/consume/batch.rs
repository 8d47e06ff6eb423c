//! One turn of one consumer in one organisation: its next events, or one that is tried again.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tenon_sdk::{
    Ctx, Error, Kernel, OrgId, Result, SystemTx, TenantTx,
    events::{ConsumerHandler, Recorded, as_like},
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::jobs::{pause_seconds, told};

/// A handler that takes longer has failed: its transaction keeps locks.
const LONGEST: Duration = Duration::from_mins(1);

/// What comes after a turn.
pub(super) enum After {
    /// Nothing that is known here.
    Nothing,
    /// The same once more, after a pause.
    Again(Duration),
}

const NOW: After = After::Again(Duration::ZERO);
const LATER: After = After::Again(Duration::from_secs(1));
/// A transaction that takes longer to be undone is left to itself.
const UNDOING: Duration = Duration::from_secs(5);
/// Numbers that `events.take` looks at, at most.
const LOOKED_AT: i64 = 1000;

/// Takes one turn.
pub(super) async fn one_turn(kernel: &Kernel, consumer: &ConsumerHandler, org: OrgId) -> After {
    let turn = async {
        let tx = Ctx::for_job(kernel.clone(), org, None).begin().await?;
        let rows = take(consumer, &tx).await?;
        if rows.is_empty() {
            one_aside(kernel, consumer, tx).await
        } else {
            next_events(kernel, consumer, tx, &rows).await
        }
    };
    turn.await.unwrap_or_else(|error: Error| {
        tracing::warn!(consumer = consumer.name, %org, %error, "events could not be handed over");
        LATER
    })
}

async fn take(consumer: &ConsumerHandler, tx: &TenantTx) -> Result<Vec<Row>> {
    let kinds: Vec<String> = consumer.events.iter().map(|pattern| as_like(pattern)).collect();
    tx.query(
        "select upto, after, attempts, singly, seq, id, kind, subject, payload, actor, at from events.take($1, $2, $3)",
        &[&consumer.name, &kinds, &consumer.batch],
    )
    .await
}

fn recorded(row: &Row, first: usize) -> Result<Option<Recorded>> {
    let Some(seq) = row.try_get::<_, Option<i64>>(first)? else {
        return Ok(None);
    };
    Ok(Some(Recorded {
        seq,
        id: row.try_get(first + 1)?,
        kind: row.try_get(first + 2)?,
        subject: row.try_get(first + 3)?,
        payload: row.try_get(first + 4)?,
        actor: row.try_get(first + 5)?,
        at: row.try_get(first + 6)?,
    }))
}

/// Hands events to the consumer; whatever it does wrong is an error.
async fn handle(
    kernel: &Kernel,
    consumer: &ConsumerHandler,
    tx: &TenantTx,
    events: &[Recorded],
) -> Result<()> {
    let work = AssertUnwindSafe(consumer.handle(kernel, tx, events)).catch_unwind();
    match tokio::time::timeout(LONGEST, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Error::internal(format!(
            "the consumer {} panicked",
            consumer.name
        ))),
        Err(_) => Err(Error::unavailable(
            "events.too_slow",
            "A consumer took too long over events.",
        )),
    }
}

/// Undoes a transaction, so that its locks are gone before its failure is written down.
async fn undo(tx: TenantTx) {
    // One whose handler was given up may still be at a statement.
    drop(tokio::time::timeout(UNDOING, tx.rollback()).await);
}

async fn next_events(
    kernel: &Kernel,
    consumer: &ConsumerHandler,
    tx: TenantTx,
    rows: &[Row],
) -> Result<After> {
    let org = tx.org_id();
    let Some(first) = rows.first() else {
        return Ok(After::Nothing);
    };
    let (upto, after, attempts): (i64, i64, i32) = (first.try_get(0)?, first.try_get(1)?, first.try_get(2)?);
    let singly: bool = first.try_get(3)?;
    let events: Vec<Recorded> = rows
        .iter()
        .filter_map(|row| recorded(row, 4).transpose())
        .collect::<Result<_>>()?;
    let result = async {
        if !events.is_empty() {
            handle(kernel, consumer, &tx, &events).await?;
        }
        tx.query("select events.move_on($1, $2)", &[&consumer.name, &upto])
            .await
            .map(drop)
    };
    let result = result.await;
    let error = match result {
        Ok(()) => match tx.commit().await {
            Ok(()) => {
                let full = singly
                    || upto - after >= LOOKED_AT
                    || usize::try_from(consumer.batch) == Ok(events.len());
                return Ok(if full { NOW } else { After::Nothing });
            }
            Err(error) => error,
        },
        Err(error) => {
            undo(tx).await;
            error
        }
    };
    let Some(last) = events.last() else {
        return Err(error);
    };
    let failure = Failure {
        org,
        after,
        attempts,
        last: last.seq,
        alone: events.len() == 1,
    };
    failure.note(kernel, consumer, &error).await
}

/// Events that could not be handled.
struct Failure {
    org: OrgId,
    /// Where the consumer stood.
    after: i64,
    /// How often the first of them had failed before.
    attempts: i32,
    last: i64,
    alone: bool,
}

/// The pause after so many failures, in seconds.
fn pause(kernel: &Kernel, attempt: i32, error: &Error) -> f64 {
    let mut random = [0; 2];
    kernel.env().fill_random(&mut random);
    let jitter = f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
    pause_seconds(attempt, jitter, error.retry_after)
}

impl Failure {
    async fn note(&self, kernel: &Kernel, consumer: &ConsumerHandler, error: &Error) -> Result<After> {
        let attempt = self.attempts + 1;
        tracing::warn!(consumer = consumer.name, org = %self.org, seq = self.last, attempt, alone = self.alone, %error,
            "events could not be handled");
        let seconds = pause(kernel, attempt, error);
        let tx = SystemTx::begin(kernel.db(), "failure of a consumer").await?;
        // A first turn makes the place, and was undone with it.
        let place = "insert into events.cursors (org_id, consumer) values ($1, $2) on conflict do nothing";
        tx.execute(place, &[&self.org, &consumer.name]).await?;
        let row = tx
            .query_opt(
                include_str!("failed.sql"),
                &[
                    &self.org,
                    &consumer.name,
                    &self.after,
                    &self.attempts,
                    &self.alone,
                    &self.last,
                    &told(error),
                    &consumer.max_attempts,
                    &seconds,
                    &kernel.env().new_id(),
                ],
            )
            .await?;
        tx.commit().await?;
        let aside = row.map(|row| row.try_get::<_, bool>(0)).transpose()?;
        if aside == Some(true) {
            tracing::error!(consumer = consumer.name, org = %self.org, seq = self.last, "an event was put aside");
        }
        Ok(match aside {
            // Somebody else has it, or the transaction is not undone yet.
            None => LATER,
            Some(false) if self.alone => After::Again(Duration::from_secs_f64(seconds.clamp(0.01, 86_500.0))),
            // One by one, or the next one's turn has come.
            Some(_) => NOW,
        })
    }
}

/// Tries one event again that was put aside, if there is one to be.
async fn one_aside(kernel: &Kernel, consumer: &ConsumerHandler, tx: TenantTx) -> Result<After> {
    let org = tx.org_id();
    let row = tx
        .query_opt(
            "select aside, attempts, seq, id, kind, subject, payload, actor, at from events.take_aside($1)",
            &[&consumer.name],
        )
        .await?;
    let Some(row) = row else {
        return Ok(After::Nothing);
    };
    let (aside, attempts): (Uuid, i32) = (row.try_get(0)?, row.try_get(1)?);
    let event = recorded(&row, 2)?.ok_or_else(|| Error::internal("an event without a number"))?;
    let error = match handle(kernel, consumer, &tx, std::slice::from_ref(&event)).await {
        Ok(()) => match tx.commit().await {
            Ok(()) => return Ok(NOW),
            Err(error) => error,
        },
        Err(error) => {
            undo(tx).await;
            error
        }
    };
    tracing::warn!(consumer = consumer.name, %org, seq = event.seq, %error, "an event that was put aside failed again");
    let tx = SystemTx::begin(kernel.db(), "failure of a consumer").await?;
    tx.execute(
        "update events.aside set attempts = $3 + 1, error = $4, retry_at = null \
         where org_id = $1 and id = $2 and attempts = $3",
        &[&org, &aside, &attempts, &told(&error)],
    )
    .await?;
    tx.commit().await?;
    Ok(NOW)
}
