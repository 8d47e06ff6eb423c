//! When messages came that were due at fixed moments.

use std::time::{Duration, Instant};

use super::frames::Frame;
use super::listeners::Ear;

/// Messages at fixed moments.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The moment of the first.
    pub began: Instant,
    /// Between one and the next.
    pub pause: Duration,
    /// How many there are.
    pub count: u32,
}

impl Plan {
    /// So many a second for so long, from a moment on.
    pub fn new(a_second: u32, seconds: u32) -> Self {
        Self {
            // Time for all to be ready.
            began: Instant::now() + Duration::from_millis(300),
            pause: Duration::from_secs(1) / a_second,
            count: a_second * seconds,
        }
    }

    /// When a message is due.
    pub fn due(&self, number: u32) -> Instant {
        self.began + self.pause * number
    }

    /// How long is waited for those that have not come.
    pub fn patience(&self) -> Instant {
        self.due(self.count) + Duration::from_secs(10)
    }
}

/// For each message how many got it, and when the last did.
#[derive(Debug)]
pub struct Arrivals {
    plan: Plan,
    number: fn(&Frame<'_>) -> Option<u32>,
    /// How many should get a message.
    readers: u32,
    got: Vec<u32>,
    last: Vec<Duration>,
    /// Of each receipt, in microseconds.
    took: Vec<u32>,
    /// The number that a connection got last, and how often one was not higher.
    before: Vec<Option<u32>>,
    out_of_turn: u32,
}

/// What came of it.
#[derive(Debug)]
pub struct Summary {
    /// Receipts that did not come.
    pub lost: u64,
    /// Receipts that came twice or out of their order.
    pub out_of_turn: u32,
    /// Time from when a message was due until one had it, of half the receipts, in milliseconds.
    pub p50: f64,
    /// Of 99 in 100.
    pub p99: f64,
    /// Of the slowest.
    pub most: f64,
    /// Time until the last had it, of half the messages.
    pub last_p50: f64,
    /// Of 99 in 100.
    pub last_p99: f64,
}

impl Arrivals {
    /// Nothing came yet on so many connections, of whom `readers` should get each message.
    pub fn new(plan: Plan, number: fn(&Frame<'_>) -> Option<u32>, sockets: usize, readers: u32) -> Self {
        Self {
            plan,
            number,
            readers,
            got: vec![0; plan.count as usize],
            last: vec![Duration::ZERO; plan.count as usize],
            took: Vec::with_capacity(plan.count as usize * readers as usize),
            before: vec![None; sockets],
            out_of_turn: 0,
        }
    }

    /// What came of it.
    pub fn summary(mut self) -> Summary {
        self.took.sort_unstable();
        let wanted = u64::from(self.plan.count) * u64::from(self.readers);
        let got: u64 = self
            .got
            .iter()
            .map(|got| u64::from(*got.min(&self.readers)))
            .sum();
        let at = |share: usize| {
            let took = self
                .took
                .get((self.took.len() * share / 100).min(self.took.len().saturating_sub(1)));
            took.map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
        };
        let mut last = self.last;
        last.sort_unstable();
        let last_at = |share: usize| {
            let took = last.get(last.len() * share / 100);
            took.map_or(f64::NAN, |took| took.as_secs_f64() * 1000.0)
        };
        Summary {
            lost: wanted - got,
            out_of_turn: self.out_of_turn,
            p50: at(50),
            p99: at(99),
            most: at(100),
            last_p50: last_at(50),
            last_p99: last_at(99),
        }
    }
}

impl Ear for Arrivals {
    fn hear(&mut self, socket: usize, frame: &Frame<'_>, at: Instant) {
        let Some(number) = (self.number)(frame) else {
            return;
        };
        let Some(got) = self.got.get_mut(number as usize) else {
            return;
        };
        *got += 1;
        if self.before[socket].is_some_and(|before| before >= number) {
            self.out_of_turn += 1;
        }
        self.before[socket] = Some(number);
        let took = at.saturating_duration_since(self.plan.due(number));
        self.last[number as usize] = took.max(self.last[number as usize]);
        self.took
            .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    fn has_all(&self) -> bool {
        self.took.len() >= self.plan.count as usize * self.readers as usize
    }
}
