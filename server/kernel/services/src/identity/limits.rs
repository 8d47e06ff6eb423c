//! A brake on guessing passwords: attempts for one e-mail address in a sliding window of five minutes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tenon_sdk::error::Result;

use super::errors;

const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// Addresses remembered at most; the oldest go first, so that memory stays bounded under attack.
const CAPACITY: usize = 20_000;

/// Failed attempts by address.
#[derive(Clone)]
pub(super) struct Attempts {
    most: u32,
    failed: Arc<Mutex<HashMap<String, (Timestamp, u32)>>>,
}

impl Attempts {
    pub(super) fn new(most: u32) -> Self {
        Self {
            most,
            failed: Arc::default(),
        }
    }

    /// An error if the address has failed too often.
    pub(super) fn check(&self, address: &str, now: Timestamp) -> Result<()> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match failed.get(address) {
            Some((since, count)) if *count >= self.most && now.duration_since(*since) < WINDOW => {
                let left = WINDOW - now.duration_since(*since);
                Err(errors::too_many(left.as_secs().unsigned_abs().max(1)))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn failed(&self, address: &str, now: Timestamp) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() >= CAPACITY {
            failed.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
            if failed.len() >= CAPACITY {
                failed.clear();
            }
        }
        let entry = failed.entry(address.to_owned()).or_insert((now, 0));
        if now.duration_since(entry.0) >= WINDOW {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }

    pub(super) fn succeeded(&self, address: &str) {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_pauses_after_too_many_failures_and_is_free_again_after_five_minutes() {
        let attempts = Attempts::new(3);
        let start = Timestamp::UNIX_EPOCH;
        for _ in 0..3 {
            assert!(attempts.check("a@example.com", start).is_ok());
            attempts.failed("a@example.com", start);
        }
        let refused = attempts.check("a@example.com", start).unwrap_err();
        assert_eq!(
            (refused.code.as_ref(), refused.status()),
            ("over_request_rate_limit", 429)
        );
        assert!(attempts.check("b@example.com", start).is_ok());
        assert!(attempts.check("a@example.com", start + WINDOW).is_ok());
    }

    #[test]
    fn a_success_forgets_the_failures() {
        let attempts = Attempts::new(1);
        attempts.failed("a@example.com", Timestamp::UNIX_EPOCH);
        attempts.succeeded("a@example.com");
        assert!(attempts.check("a@example.com", Timestamp::UNIX_EPOCH).is_ok());
    }
}
