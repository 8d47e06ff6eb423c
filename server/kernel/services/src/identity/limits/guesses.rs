//! Guessing passwords: who fails too often waits, longer each time, and waits alone.
//!
//! - **One place.** Failures count by account *and* block of addresses. After `auth.failed_sign_ins` of them each further try
//!   there waits, a minute first and twice as long each time, up to an hour. Somebody elsewhere notices nothing: an attacker
//!   cannot keep the owner out.
//! - **Many places.** Tries from places where the account's owner has never been share a small allowance per account. A net of
//!   hired machines is held to some 3,000 guesses a day by it, while the owner comes in from a place they know
//!   (`auth.known_places`) as ever, and makes a new place known by a link or a code in a mail.
//!
//! Accounts that do not exist are counted as those that do.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{Quota, clock::Clock as _};
use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use tenon_sdk::{Result, env::Env, http::ClientAddress};

use super::store::{Bounded, CAPACITY, EnvClock, Limiter};
use crate::identity::errors;

const SHORTEST: SignedDuration = SignedDuration::from_mins(1);
const LONGEST: SignedDuration = SignedDuration::from_hours(1);
/// Tries from places unknown to an account: so many at once, then one in so many seconds.
const ELSEWHERE: (u32, u64) = (30, 30);

/// A name of any length as a key of a fixed one.
pub(super) fn key(parts: &[&str]) -> u128 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    u128::from_le_bytes(bytes)
}

#[derive(Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
    until: Timestamp,
}

/// Failed tries by account and place, and by account.
pub(in crate::identity) struct Guesses {
    most: u32,
    env: Env,
    here: Cache<u128, Arc<Mutex<Failures>>>,
    strangers: Option<Limiter<u128>>,
}

impl Guesses {
    pub(in crate::identity) fn new(env: &Env, most: u32) -> Self {
        let (burst, seconds) = ELSEWHERE;
        let strangers = NonZeroU32::new(burst).and_then(|burst| {
            let quota = Quota::with_period(Duration::from_secs(seconds))?.allow_burst(burst);
            Some(Limiter::new(quota, Bounded::new(), EnvClock(env.clone())))
        });
        Self {
            most: most.max(1),
            env: env.clone(),
            here: Cache::new(CAPACITY),
            strangers,
        }
    }

    fn lane(account: &str, client: ClientAddress) -> u128 {
        key(&[account, &client.block().to_string()])
    }

    /// Counts a try as failed until [`Guesses::succeeded`] says otherwise, so that many at once count as many.
    ///
    /// Errors: `over_request_rate_limit` if too many failed for this account at this place.
    pub(in crate::identity) fn begin(&self, account: &str, client: ClientAddress) -> Result<()> {
        let now = self.env.now();
        let Ok(failures) = self.here.get_or_insert_with(&Self::lane(account, client), || {
            Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(Failures {
                count: 0,
                last: now,
                until: now,
            })))
        });
        let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
        if now < failures.until {
            return Err(errors::too_many(
                failures.until.duration_since(now).as_secs().unsigned_abs() + 1,
            ));
        }
        // Whoever kept quiet for as long as the longest pause is a person with a bad memory.
        if now.duration_since(failures.last) >= LONGEST * 2 {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
        if let Some(over) = failures.count.checked_sub(self.most) {
            let pause = SHORTEST
                .checked_mul(1 << over.min(10))
                .unwrap_or(LONGEST)
                .min(LONGEST);
            failures.until = now + pause;
        }
        Ok(())
    }

    /// Counts a try from a place where the account's owner has never been.
    ///
    /// Errors: `over_request_rate_limit` if there were too many from all such places together.
    pub(in crate::identity) fn elsewhere(&self, account: &str) -> Result<()> {
        let Some(limiter) = &self.strangers else {
            return Ok(());
        };
        limiter.check_key(&key(&[account])).map_err(|until| {
            let wait = until.wait_time_from(limiter.clock().now());
            errors::too_many(wait.as_secs() + 1)
        })
    }

    /// Forgets the failures of an account at a place where its password was right.
    pub(in crate::identity) fn succeeded(&self, account: &str, client: ClientAddress) {
        self.here.remove(&Self::lane(account, client));
    }
}
