//! The jobs a worker has, from the claim until the database knows how they ended.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What can happen to a job from outside.
#[derive(Clone, Debug)]
pub(super) struct Strings {
    pub(super) fence: i64,
    /// Somebody wants it to stop.
    pub(super) cancelled: CancellationToken,
    /// Another worker has it.
    pub(super) lost: CancellationToken,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    jobs: Mutex<HashMap<Uuid, Strings>>,
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Strings>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, job: Uuid, fence: i64) {
        let strings = Strings {
            fence,
            cancelled: CancellationToken::new(),
            lost: CancellationToken::new(),
        };
        if let Some(before) = self.lock().insert(job, strings) {
            before.lost.cancel();
        }
    }

    pub(super) fn of(&self, job: Uuid, fence: i64) -> Option<Strings> {
        self.lock()
            .get(&job)
            .filter(|strings| strings.fence == fence)
            .cloned()
    }

    /// Lets go of a job, unless it was taken anew meanwhile.
    pub(super) fn release(&self, job: Uuid, fence: i64) {
        let mut jobs = self.lock();
        if jobs.get(&job).is_some_and(|strings| strings.fence == fence) {
            jobs.remove(&job);
        }
    }

    pub(super) fn cancel(&self, job: Uuid) {
        if let Some(strings) = self.lock().get(&job) {
            strings.cancelled.cancel();
        }
    }

    pub(super) fn all(&self) -> Vec<(Uuid, i64)> {
        self.lock()
            .iter()
            .map(|(id, strings)| (*id, strings.fence))
            .collect()
    }

    /// Of these jobs, which were all there were when the database was asked, those that it does not confirm are lost.
    pub(super) fn confirm(&self, asked: &[(Uuid, i64)], confirmed: &[(Uuid, bool)]) {
        let known: BTreeSet<Uuid> = confirmed.iter().map(|(id, _)| *id).collect();
        let jobs = self.lock();
        for (id, fence) in asked.iter().filter(|(id, _)| !known.contains(id)) {
            if let Some(strings) = jobs.get(id).filter(|strings| strings.fence == *fence) {
                strings.lost.cancel();
            }
        }
        for (id, _) in confirmed.iter().filter(|(_, cancel)| *cancel) {
            if let Some(strings) = jobs.get(id) {
                strings.cancelled.cancel();
            }
        }
    }
}
