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

    /// The next job to begin, of those that may.
    pub(super) fn next(&mut self, may_begin: impl Fn(&Claimed) -> bool) -> Option<Claimed> {
        for _ in 0..self.turns.len() {
            let org = self.turns.pop_front()?;
            let jobs = self.jobs.get_mut(&org)?;
            let rank = jobs
                .iter()
                .find(|(_, (job, _))| may_begin(job))
                .map(|(rank, _)| *rank);
            let found = rank.and_then(|rank| jobs.remove(&rank));
            if jobs.is_empty() {
                self.jobs.remove(&org);
            } else {
                self.turns.push_back(org);
            }
            if let Some((job, _)) = found {
                self.len -= 1;
                return Some(job);
            }
        }
        None
    }

    /// Takes out everything.
    pub(super) fn all(&mut self) -> Vec<Claimed> {
        std::iter::from_fn(|| self.next(|_| true)).collect()
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
        let order: Vec<i64> = std::iter::from_fn(|| buffer.next(|_| true))
            .map(|job| job.ready_at.as_second())
            .collect();
        assert_eq!(order, [2, 9, 1, 3, 4]);
        assert_eq!(buffer.len(), 0);
        buffer.add(job(1, 0, 1), now);
        assert!(buffer.next(|_| true).is_some() && buffer.next(|_| true).is_none());
    }

    #[test]
    fn what_has_been_here_for_long_is_given_back() {
        let (mut buffer, now) = (Buffer::default(), Instant::now());
        buffer.add(job(1, 0, 1), now);
        buffer.add(job(2, 0, 2), now + Duration::from_secs(5));
        let old = buffer.older_than(Duration::from_secs(5), now + Duration::from_secs(6));
        assert_eq!(old.len(), 1);
        assert_eq!(
            (
                buffer.len(),
                buffer.next(|_| true).map(|job| job.ready_at.as_second())
            ),
            (1, Some(2))
        );
        assert!(buffer.next(|_| true).is_none());
    }

    #[test]
    fn what_may_not_begin_is_passed_over_and_keeps_its_turn() {
        let (mut buffer, now) = (Buffer::default(), Instant::now());
        for (org, ready) in [(1, 1), (1, 2), (2, 3), (2, 4)] {
            buffer.add(job(org, 0, ready), now);
        }
        let even = |job: &Claimed| job.ready_at.as_second() % 2 == 0;
        let order: Vec<i64> = std::iter::from_fn(|| buffer.next(even))
            .map(|job| job.ready_at.as_second())
            .collect();
        assert_eq!((order.as_slice(), buffer.len()), ([2, 4].as_slice(), 2));
        let rest: Vec<i64> = std::iter::from_fn(|| buffer.next(|_| true))
            .map(|job| job.ready_at.as_second())
            .collect();
        assert_eq!(rest, [1, 3]);
    }
}
