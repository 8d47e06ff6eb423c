//! Jobs that were taken and not begun. Organisations take turns; within one the most urgent goes first, then the oldest.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use uuid::Uuid;

use super::queue::Claimed;

type Rank = (Reverse<i16>, Timestamp, Uuid);

#[derive(Debug, Default)]
pub(super) struct Buffer {
    jobs: HashMap<Uuid, BTreeMap<Rank, (Claimed, Instant)>>,
    turns: VecDeque<Uuid>,
    len: usize,
}

impl Buffer {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many of an organisation's jobs are here.
    pub(super) fn of(&self, org: Uuid) -> usize {
        self.jobs.get(&org).map_or(0, BTreeMap::len)
    }

    pub(super) fn add(&mut self, job: Claimed, now: Instant) {
        let org = job.org.0;
        let jobs = self.jobs.entry(org).or_default();
        if jobs.is_empty() {
            self.turns.push_back(org);
        }
        jobs.insert((Reverse(job.priority), job.ready_at, job.id), (job, now));
        self.len += 1;
    }

    /// The next job to begin.
    pub(super) fn next(&mut self) -> Option<Claimed> {
        let org = self.turns.pop_front()?;
        let jobs = self.jobs.get_mut(&org)?;
        let ((_, (job, _)), left) = (jobs.pop_first()?, !jobs.is_empty());
        if left {
            self.turns.push_back(org);
        } else {
            self.jobs.remove(&org);
        }
        self.len -= 1;
        Some(job)
    }

    /// Takes out what has been here for so long, for others to do.
    pub(super) fn older_than(&mut self, age: Duration, now: Instant) -> Vec<Claimed> {
        let mut old = Vec::new();
        for jobs in self.jobs.values_mut() {
            let gone = jobs.extract_if(.., |_, (_, since)| now.duration_since(*since) >= age);
            old.extend(gone.map(|(_, (job, _))| job));
        }
        self.jobs.retain(|_, jobs| !jobs.is_empty());
        self.turns.retain(|org| self.jobs.contains_key(org));
        self.len -= old.len();
        old
    }
}

#[cfg(test)]
mod tests {
    use tenon_sdk::OrgId;

    use super::*;

    fn job(org: u128, priority: i16, ready: i64) -> Claimed {
        Claimed {
            id: Uuid::from_u128(ready.unsigned_abs().into()),
            org: OrgId(Uuid::from_u128(org)),
            user: None,
            name: String::new(),
            payload: serde_json::Value::Null,
            attempt: 1,
            max_attempts: 5,
            fence: 1,
            priority,
            ready_at: Timestamp::from_second(ready).unwrap(),
            limit_key: None,
        }
    }

    #[test]
    fn organisations_take_turns_and_the_urgent_and_the_old_go_first() {
        let (mut buffer, now) = (Buffer::default(), Instant::now());
        for (org, priority, ready) in [(1, 0, 3), (1, 0, 1), (1, 5, 2), (1, 0, 4), (2, 0, 9)] {
            buffer.add(job(org, priority, ready), now);
        }
        assert_eq!((buffer.len(), buffer.of(Uuid::from_u128(1))), (5, 4));
        let order: Vec<i64> = std::iter::from_fn(|| buffer.next())
            .map(|job| job.ready_at.as_second())
            .collect();
        assert_eq!(order, [2, 9, 1, 3, 4]);
        assert_eq!(buffer.len(), 0);
        buffer.add(job(1, 0, 1), now);
        assert!(buffer.next().is_some() && buffer.next().is_none());
    }

    #[test]
    fn what_has_been_here_for_long_is_given_back() {
        let (mut buffer, now) = (Buffer::default(), Instant::now());
        buffer.add(job(1, 0, 1), now);
        buffer.add(job(2, 0, 2), now + Duration::from_secs(5));
        let old = buffer.older_than(Duration::from_secs(5), now + Duration::from_secs(6));
        assert_eq!(old.len(), 1);
        assert_eq!(
            (buffer.len(), buffer.next().map(|job| job.ready_at.as_second())),
            (1, Some(2))
        );
        assert!(buffer.next().is_none());
    }
}
