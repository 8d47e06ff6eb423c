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

/// Forgets the oldest tenth when the map is full.
fn make_room<V>(map: &mut HashMap<String, V>, at: impl Fn(&V) -> Timestamp) {
    if map.len() < CAPACITY {
        return;
    }
    let mut times: Vec<Timestamp> = map.values().map(&at).collect();
    let (_, limit, _) = times.select_nth_unstable(CAPACITY / 10);
    let limit = *limit;
    map.retain(|_, value| at(value) > limit);
}

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

    /// Counts an attempt as failed until [`Attempts::succeeded`] says otherwise, so that many at once count as many; an error
    /// if the address has failed too often.
    pub(super) fn begin(&self, address: &str, now: Timestamp) -> Result<()> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut failed, |(since, _)| *since);
        let entry = failed.entry(address.to_owned()).or_insert((now, 0));
        if now.duration_since(entry.0) >= WINDOW {
            *entry = (now, 0);
        }
        if entry.1 >= self.most {
            let left = WINDOW - now.duration_since(entry.0);
            return Err(errors::too_many(left.as_secs().unsigned_abs().max(1)));
        }
        entry.1 += 1;
        Ok(())
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
        make_room(&mut sent, |last| *last);
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
            assert!(attempts.begin("a@example.com", start).is_ok());
        }
        let refused = attempts.begin("a@example.com", start).unwrap_err();
        assert_eq!(
            (refused.code.as_ref(), refused.status()),
            ("over_request_rate_limit", 429)
        );
        assert!(attempts.begin("b@example.com", start).is_ok());
        assert!(attempts.begin("a@example.com", start + WINDOW).is_ok());
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
    fn a_flood_of_addresses_pushes_out_the_oldest_only() {
        let (mails, start) = (Mails::new(3600), Timestamp::UNIX_EPOCH);
        for number in 0..=i64::try_from(CAPACITY).unwrap() {
            let now = start + SignedDuration::from_millis(number);
            assert!(mails.check(&format!("{number}@example.com"), now).is_ok());
        }
        let later = start + SignedDuration::from_secs(60);
        assert!(mails.check("15000@example.com", later).is_err());
        assert!(mails.check("0@example.com", later).is_ok());
    }

    #[test]
    fn a_success_forgets_the_failures() {
        let attempts = Attempts::new(1);
        for _ in 0..3 {
            assert!(attempts.begin("a@example.com", Timestamp::UNIX_EPOCH).is_ok());
            attempts.succeeded("a@example.com");
        }
    }
}
