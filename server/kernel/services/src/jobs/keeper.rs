//! What has to be done for the queue beside working on it: renewing the lease, bringing up what is due, giving back what silent workers had,
//! letting through what limits have room for. Every process does all of it; none is needed.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tenon_sdk::{Kernel, Result};
use tokio::time::Instant;
use uuid::Uuid;

use super::{held::Held, queue, schedules, wake::Wake};

/// Pause between looks at the weeks of the history.
const HISTORY: Duration = Duration::from_mins(30);
/// A look at everything may take this part of the time.
const SHARE: u32 = 20;
/// Transactions that began so long before the last look may still bring something that was due before.
const SLACK: SignedDuration = SignedDuration::from_secs(10);

pub(super) struct Keeper {
    pub(super) kernel: Kernel,
    pub(super) worker: Uuid,
    pub(super) wake: Arc<Wake>,
}

impl Keeper {
    fn lease(&self) -> i64 {
        self.kernel.config().jobs.lease_seconds
    }

    /// Works until dropped.
    pub(super) async fn work(self) {
        let poll = Duration::from_secs(self.kernel.config().jobs.poll_seconds.max(1));
        let mut floor = Timestamp::UNIX_EPOCH;
        let (mut sweep_at, mut history_at) = (Instant::now(), Instant::now());
        let mut limits: HashMap<(Uuid, String), Instant> = HashMap::new();
        loop {
            let chores = self.wake.take_chores();
            let now = Instant::now();
            for limit in chores.held {
                limits.insert(limit, now);
            }
            if now >= history_at {
                note(queue::keep_history(self.kernel.db(), self.kernel.config().jobs.history_days).await);
                history_at = now + HISTORY;
            }
            note(queue::expire(self.kernel.db(), self.worker, self.lease()).await);
            if chores.sweep || now >= sweep_at {
                floor = Timestamp::UNIX_EPOCH;
                let began = Instant::now();
                note(queue::sweep(self.kernel.db(), self.worker, self.lease(), &self.wake).await);
                sweep_at = Instant::now() + poll.max(began.elapsed() * SHARE);
            }
            let mut pause = self.promote(&mut floor).await.map_or(poll, |due| due.min(poll));
            if let Some(Some(next)) = note(schedules::fire(&self.kernel).await) {
                pause = pause.min(Duration::from_secs_f64(next.clamp(0.005, 3600.0)));
            }
            if let Some(next) = self.admit(&mut limits).await {
                pause = pause.min(next);
            }
            let _ = tokio::time::timeout(pause, self.wake.keeper()).await;
        }
    }

    /// Gives the time until the next job is due.
    async fn promote(&self, floor: &mut Timestamp) -> Option<Duration> {
        loop {
            let looked = queue::promote(self.kernel.db(), self.worker, self.lease(), *floor).await;
            let (promoted, now, next) = note(looked)?;
            if promoted >= 1000 {
                continue;
            }
            *floor = now - SLACK;
            return next.map(|seconds| Duration::from_secs_f64(seconds.clamp(0.005, 3600.0)));
        }
    }

    /// Asks the limits whose time has come; gives the time until the next.
    async fn admit(&self, limits: &mut HashMap<(Uuid, String), Instant>) -> Option<Duration> {
        let now = Instant::now();
        let due: Vec<_> = limits
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(limit, _)| limit.clone())
            .collect();
        for limit in due {
            match note(queue::admit(self.kernel.db(), limit.0, &limit.1).await) {
                Some(None) => drop(limits.remove(&limit)),
                Some(Some(seconds)) => {
                    let pause = Duration::from_secs_f64(seconds.clamp(0.002, 3600.0));
                    limits.insert(limit, Instant::now() + pause);
                }
                None => drop(limits.insert(limit, now + Duration::from_secs(1))),
            }
        }
        let next = limits.values().min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }
}

fn note<T>(result: Result<T>) -> Option<T> {
    result
        .inspect_err(|error| tracing::warn!(%error, "the queue could not be looked after"))
        .ok()
}

/// Renews the lease and finds out about jobs that were lost or are to be cancelled, until dropped.
pub(super) async fn beat(kernel: Kernel, worker: Uuid, held: Arc<Held>) {
    let lease = kernel.config().jobs.lease_seconds;
    let every = Duration::from_secs(lease.unsigned_abs().max(1)) / 3;
    loop {
        tokio::time::sleep(every).await;
        let asked = held.all();
        match queue::renew(kernel.db(), worker, lease, queue::fences(asked.iter().copied())).await {
            Ok(confirmed) => held.confirm(&asked, &confirmed),
            Err(error) => tracing::warn!(%error, "lease could not be renewed; trying again"),
        }
    }
}
