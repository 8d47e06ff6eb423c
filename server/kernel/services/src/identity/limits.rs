//! Brakes, each per process: mails to one address, and guessing passwords: attempts for one e-mail address in a sliding window of five minutes.

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

/// A pause between mails to one address, whether anybody has it or not: else the refusal would tell.
#[derive(Clone)]
pub(super) struct Mails {
    pause: SignedDuration,
    sent: Arc<Mutex<HashMap<String, Timestamp>>>,
}

impl Mails {
    pub(super) fn new(pause_seconds: i64) -> Self {
        Self {
            pause: SignedDuration::from_secs(pause_seconds),
            sent: Arc::default(),
        }
    }

    /// An error if the address was written to within the pause; else it counts as written to now.
    pub(super) fn check(&self, address: &str, now: Timestamp) -> Result<()> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = sent.get(address) {
            let passed = now.duration_since(*last);
            if passed < self.pause {
                let left = (self.pause - passed).as_secs().unsigned_abs();
                return Err(errors::mailed_lately(left.max(1)));
            }
        }
        if sent.len() >= CAPACITY {
            sent.retain(|_, last| now.duration_since(*last) < self.pause);
            if sent.len() >= CAPACITY {
                sent.clear();
            }
        }
        sent.insert(address.to_owned(), now);
        Ok(())
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
    fn an_address_is_written_to_once_in_a_pause() {
        let (mails, start) = (Mails::new(60), Timestamp::UNIX_EPOCH);
        assert!(mails.check("a@example.com", start).is_ok());
        let refused = mails
            .check("a@example.com", start + SignedDuration::from_secs(59))
            .unwrap_err();
        assert_eq!(
            (refused.code.as_ref(), refused.status()),
            ("over_email_send_rate_limit", 429)
        );
        assert!(mails.check("b@example.com", start).is_ok());
        assert!(
            mails
                .check("a@example.com", start + SignedDuration::from_secs(60))
                .is_ok()
        );
    }

    #[test]
    fn a_success_forgets_the_failures() {
        let attempts = Attempts::new(1);
        attempts.failed("a@example.com", Timestamp::UNIX_EPOCH);
        attempts.succeeded("a@example.com");
        assert!(attempts.check("a@example.com", Timestamp::UNIX_EPOCH).is_ok());
    }
}
