//! The real clock, moved by as much as a test wants.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp};
use tenon_sdk::env::{Clock, Entropy, Env};

/// A clock that can be put forward.
#[derive(Clone)]
pub struct TestClock {
    real: Env,
    moved_millis: Arc<AtomicI64>,
}

impl TestClock {
    /// A clock that shows the real time.
    pub fn new() -> Self {
        Self {
            real: Env::real(),
            moved_millis: Arc::default(),
        }
    }

    /// Puts the clock forward.
    pub fn advance(&self, by: SignedDuration) {
        let millis = i64::try_from(by.as_millis()).expect("a test moves the clock by less than an age");
        self.moved_millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// A world with this clock and real randomness.
    pub fn env(&self) -> Env {
        Env::new(Arc::new(self.clone()), Arc::new(self.clone()))
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.real.now() + SignedDuration::from_millis(self.moved_millis.load(Ordering::SeqCst))
    }
}

impl Entropy for TestClock {
    fn fill(&self, bytes: &mut [u8]) {
        self.real.fill_random(bytes);
    }
}
