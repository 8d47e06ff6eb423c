//! Where the limiters keep their state: a cache of a fixed size, so that a flood of keys costs no memory. What is asked for
//! often stays; a key that was pushed out starts anew.

use std::{hash::Hash, sync::Arc};

use governor::{
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, RateLimiter, StateStore},
};
use quick_cache::sync::Cache;
use tenon_sdk::env::Env;

/// Keys of one limiter that are remembered at once, about 100 bytes each.
pub(super) const CAPACITY: usize = 20_000;

/// State by key.
pub(super) struct Bounded<K>(Cache<K, Arc<InMemoryState>>);

impl<K: Hash + Eq> Bounded<K> {
    pub(super) fn new() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl<K: Hash + Eq + Clone> StateStore for Bounded<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let Ok(state) = self
            .0
            .get_or_insert_with(key, || Ok::<_, std::convert::Infallible>(Arc::default()));
        state.measure_and_replace(&NotKeyed::NonKey, f)
    }
}

/// The server's own clock, which tests put forward.
#[derive(Clone)]
pub(super) struct EnvClock(pub(super) Env);

impl Clock for EnvClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(u64::try_from(self.0.now().as_nanosecond()).unwrap_or(0))
    }
}

/// A limiter by key.
pub(super) type Limiter<K> = RateLimiter<K, Bounded<K>, EnvClock, NoOpMiddleware<Nanos>>;
