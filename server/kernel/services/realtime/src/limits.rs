//! How much one organisation may do on this process. Those who belong to none share one allowance.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tenon_sdk::{OrgId, config};

type Rate = Option<DefaultKeyedRateLimiter<Option<OrgId>>>;

/// Counts of this process.
pub struct Limits {
    joins: Rate,
    events: Rate,
    presence: Rate,
    most: usize,
    connections: Arc<Mutex<HashMap<Option<OrgId>, usize>>>,
}

/// A connection that counts until it is dropped.
pub struct Counted {
    org: Option<OrgId>,
    connections: Arc<Mutex<HashMap<Option<OrgId>, usize>>>,
}

fn rate(a_second: u32) -> Rate {
    NonZeroU32::new(a_second).map(|a_second| RateLimiter::keyed(Quota::per_second(a_second)))
}

fn is_within(rate: &Rate, org: Option<OrgId>) -> bool {
    rate.as_ref().is_none_or(|rate| rate.check_key(&org).is_ok())
}

impl Limits {
    /// As the settings say.
    pub fn new(settings: &config::Realtime) -> Self {
        Self {
            joins: rate(settings.joins_per_second),
            events: rate(settings.events_per_second),
            presence: rate(settings.presence_per_second),
            most: settings.connections,
            connections: Arc::default(),
        }
    }

    /// Whether one more may join.
    pub fn join(&self, org: Option<OrgId>) -> bool {
        is_within(&self.joins, org)
    }

    /// Whether one more may be sent.
    pub fn event(&self, org: Option<OrgId>) -> bool {
        is_within(&self.events, org)
    }

    /// Whether one more may be told.
    pub fn presence(&self, org: Option<OrgId>) -> bool {
        is_within(&self.presence, org)
    }

    /// Counts a connection, unless there are too many.
    pub fn connect(&self, org: Option<OrgId>) -> Option<Counted> {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let count = connections.entry(org).or_default();
        if self.most > 0 && *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Counted {
            org,
            connections: self.connections.clone(),
        })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = connections.get_mut(&self.org) {
            *count -= 1;
            if *count == 0 {
                connections.remove(&self.org);
            }
        }
    }
}
