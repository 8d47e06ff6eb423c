//! The loop that hands events to consumers: organisations in turns, a batch at a time, several beside each other.

mod batch;
mod upkeep;

pub(super) use upkeep::register;
pub use upkeep::retire;

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tenon_sdk::{Kernel, OrgId, Result, SystemTx, events::ConsumerHandler};
use tokio::{task::JoinSet, time::Instant};

use super::wake::Wake;
use batch::{After, one_turn};

/// A look at everything may take this part of the time.
const SHARE: u32 = 20;

/// A consumer, by its place among those there are, in an organisation.
type Turn = (usize, OrgId);

/// Works until the task is dropped; what was not committed then has not been done.
pub async fn work(kernel: Kernel, wake: Arc<Wake>) {
    let consumers: Vec<ConsumerHandler> = kernel.consumers().cloned().collect();
    let hands = kernel.config().jobs.workers;
    if hands == 0 {
        return;
    }
    let mut upkeep = JoinSet::new();
    upkeep.spawn(upkeep::work(kernel.clone()));
    if consumers.is_empty() {
        return std::future::pending().await;
    }
    let poll = Duration::from_secs(kernel.config().jobs.poll_seconds.max(1));
    let mut work = Work {
        names: consumers.iter().map(|consumer| consumer.name).collect(),
        consumers: consumers.into(),
        kernel,
        queue: VecDeque::new(),
        queued: HashSet::new(),
        busy: HashSet::new(),
        again: HashSet::new(),
        running: JoinSet::new(),
    };
    let mut look_at = Instant::now();
    loop {
        work.begin(hands);
        tokio::select! {
            biased;
            Some(ended) = work.running.join_next(), if !work.running.is_empty() => match ended {
                Ok((turn, After::Again(pause))) => {
                    work.ended(turn, pause.is_zero());
                    if !pause.is_zero() {
                        look_at = look_at.min(Instant::now() + pause);
                    }
                }
                Ok((turn, After::Nothing)) => work.ended(turn, false),
                Err(error) => {
                    // What had it is not known any more; nothing of it is left to wait for.
                    tracing::error!(%error, "a turn of a consumer panicked");
                    work.busy.clear();
                    wake.look();
                }
            },
            () = wake.some() => {
                let heard = wake.take();
                for organization in heard.organizations {
                    work.wanted(OrgId(organization));
                }
                if heard.look {
                    look_at = Instant::now();
                }
            }
            () = tokio::time::sleep_until(look_at) => {
                let began = Instant::now();
                if let Err(error) = work.look().await {
                    tracing::warn!(%error, "the outbox could not be looked at");
                }
                look_at = Instant::now() + poll.max(began.elapsed() * SHARE);
            }
        }
    }
}

struct Work {
    kernel: Kernel,
    consumers: Arc<[ConsumerHandler]>,
    names: Vec<&'static str>,
    queue: VecDeque<Turn>,
    queued: HashSet<Turn>,
    /// Turns that are being taken here.
    busy: HashSet<Turn>,
    /// Those of them for which more has come since.
    again: HashSet<Turn>,
    running: JoinSet<(Turn, After)>,
}

impl Work {
    fn wanted(&mut self, organization: OrgId) {
        for consumer in 0..self.consumers.len() {
            self.want((consumer, organization));
        }
    }

    fn want(&mut self, turn: Turn) {
        if self.busy.contains(&turn) {
            self.again.insert(turn);
        } else if self.queued.insert(turn) {
            self.queue.push_back(turn);
        }
    }

    fn begin(&mut self, hands: usize) {
        while self.running.len() < hands {
            let Some(turn) = self.queue.pop_front() else {
                return;
            };
            self.queued.remove(&turn);
            self.busy.insert(turn);
            let (kernel, consumers) = (self.kernel.clone(), self.consumers.clone());
            self.running.spawn(async move {
                let after = match consumers.get(turn.0) {
                    Some(consumer) => one_turn(&kernel, consumer, turn.1).await,
                    None => After::Nothing,
                };
                (turn, after)
            });
        }
    }

    fn ended(&mut self, turn: Turn, more: bool) {
        self.busy.remove(&turn);
        if self.again.remove(&turn) || more {
            self.want(turn);
        }
    }

    /// Finds what was not heard of.
    async fn look(&mut self) -> Result<()> {
        let tx = SystemTx::begin(self.kernel.db(), "look at the outbox").await?;
        let rows = tx.query(include_str!("look.sql"), &[&self.names]).await?;
        tx.commit().await?;
        for row in &rows {
            let (organization, name): (OrgId, &str) = (row.try_get(0)?, row.try_get(1)?);
            if let Some(consumer) = self.names.iter().position(|known| *known == name) {
                self.want((consumer, organization));
            }
        }
        Ok(())
    }
}
