//! What workers hear of the queue between looks. Words of the same lane are one, so that a thousand commits in a moment wake a worker once.
//! Nothing here is needed for a job to run: what is not heard is found by the next look.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

/// More words than this are forgotten for a look at everything.
const MOST: usize = 20_000;

/// Jobs of one organisation and priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lane {
    pub(super) org: Uuid,
    pub(super) priority: i16,
}

/// What was heard and not looked at yet.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Lanes with something in them, from this moment on.
    pub(super) ready: BTreeMap<Lane, Timestamp>,
    /// Jobs to be cancelled.
    pub(super) cancelled: BTreeSet<Uuid>,
}

/// What the keeper of the queue has to do soon.
#[derive(Debug, Default)]
pub(super) struct Chores {
    /// Limits with something before them.
    pub(super) held: BTreeSet<(Uuid, String)>,
    /// Whether to look at everything.
    pub(super) sweep: bool,
}

/// Passes on what the database says to the workers of this process.
#[derive(Debug, Default)]
pub struct Wake {
    heard: Mutex<Heard>,
    chores: Mutex<Chores>,
    for_worker: Notify,
    for_keeper: Notify,
}

impl Wake {
    /// Takes a notification of `tenon_jobs`. What it does not understand makes it look at everything.
    pub fn hear(&self, word: &str) {
        let parts: Vec<&str> = word.splitn(4, ' ').collect();
        match parts.as_slice() {
            ["r", org, priority, at] => {
                let (org, priority) = (org.parse(), priority.parse());
                let at = at
                    .parse()
                    .ok()
                    .and_then(|at| Timestamp::from_microsecond(at).ok());
                match (org, priority, at) {
                    (Ok(org), Ok(priority), Some(at)) => self.ready(Lane { org, priority }, at),
                    _ => self.look(),
                }
            }
            ["h", org, ..] => match (org.parse(), word.get(39..)) {
                (Ok(org), Some(key)) => self.held(org, key.to_owned()),
                _ => self.look(),
            },
            ["d"] => self.for_keeper.notify_one(),
            ["c", job] => {
                if let Ok(job) = job.parse() {
                    self.lock().cancelled.insert(job);
                    self.for_worker.notify_one();
                }
            }
            _ => self.look(),
        }
    }

    /// Makes the keeper look at everything: words may have been lost.
    pub fn look(&self) {
        self.chores().sweep = true;
        self.for_keeper.notify_one();
    }

    /// Something became ready.
    pub(super) fn ready(&self, lane: Lane, at: Timestamp) {
        let mut heard = self.lock();
        let since = heard.ready.entry(lane).or_insert(at);
        *since = (*since).min(at);
        if heard.ready.len() > MOST {
            heard.ready.clear();
            drop(heard);
            self.look();
        }
        self.for_worker.notify_one();
    }

    /// Something waits for a limit.
    pub(super) fn held(&self, org: Uuid, key: String) {
        self.chores().held.insert((org, key));
        self.for_keeper.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chores(&self) -> std::sync::MutexGuard<'_, Chores> {
        self.chores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was heard since the last time.
    pub(super) fn take(&self) -> Heard {
        std::mem::take(&mut *self.lock())
    }

    /// The same for the keeper.
    pub(super) fn take_chores(&self) -> Chores {
        std::mem::take(&mut *self.chores())
    }

    pub(super) async fn worker(&self) {
        self.for_worker.notified().await;
    }

    pub(super) async fn keeper(&self) {
        self.for_keeper.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_one_lane_are_one_from_the_earliest_moment_on() {
        let (wake, org) = (Wake::default(), Uuid::from_u128(7));
        for at in [5_000_000, 3_000_000, 9_000_000] {
            wake.hear(&format!("r {org} -2 {at}"));
        }
        let heard = wake.take();
        let lane = Lane { org, priority: -2 };
        assert_eq!(
            heard.ready,
            BTreeMap::from([(lane, Timestamp::from_second(3).unwrap())])
        );
        assert!(wake.take().ready.is_empty());
    }

    #[test]
    fn keys_may_have_spaces_and_what_nobody_understands_is_a_reason_to_look() {
        let (wake, org) = (Wake::default(), Uuid::from_u128(7));
        wake.hear(&format!("h {org} a key  of words é"));
        let chores = wake.take_chores();
        assert_eq!(
            chores.held,
            BTreeSet::from([(org, "a key  of words é".to_owned())])
        );
        assert!(!chores.sweep);
        for word in [
            "",
            "x",
            "r",
            "r 1 2 3",
            &format!("r {org} 99999 1"),
            &format!("r {org} 0 x"),
            "h x y",
        ] {
            wake.hear(word);
            assert!(wake.take_chores().sweep, "{word:?}");
        }
    }
}
