//! Connections that one request has for itself at a time, opened when needed, up to a limit.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_postgres::Config as PgConfig;

use super::{Answer, Batch, Failure, Request, connection::Handle};
use crate::error::{Error, Result};

/// How long a connection may take to open, unless its address says otherwise.
const CONNECT: Duration = Duration::from_secs(10);

/// How many connections there may be, and for how long.
#[derive(Clone, Copy, Debug)]
pub(in crate::db) struct ExclusiveOptions {
    pub(in crate::db) size: usize,
    /// How long a request waits for one of them.
    pub(in crate::db) wait: Duration,
    /// After so long without use one is closed.
    pub(in crate::db) idle: Duration,
    /// After so long one is closed whatever it did.
    pub(in crate::db) life: Duration,
}

/// The connections.
#[derive(Clone)]
pub(in crate::db) struct Exclusive(Arc<Shared>);

struct Shared {
    config: PgConfig,
    tls: Arc<rustls::ClientConfig>,
    options: ExclusiveOptions,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    free: Mutex<Vec<Free>>,
}

/// Counted as waiting until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Free {
    handle: Handle,
    born: Instant,
    since: Instant,
}

/// Why there is no connection.
#[derive(Debug)]
pub(in crate::db) enum NoLease {
    /// All are in use and none became free in time.
    TimedOut,
    /// The server does not let anybody in.
    Unreachable(Error),
}

/// A connection that nobody else uses until this is dropped.
pub(in crate::db) struct Lease {
    shared: Weak<Shared>,
    handle: Handle,
    born: Instant,
    /// Nobody may have the connection after this.
    discarded: bool,
    _permit: OwnedSemaphorePermit,
}

impl Exclusive {
    /// Opens nothing yet.
    pub(in crate::db) fn new(config: PgConfig, options: ExclusiveOptions) -> Result<Self> {
        let shared = Arc::new(Shared {
            config,
            tls: super::super::connect::tls_config()?,
            options,
            permits: Arc::new(Semaphore::new(options.size.max(1))),
            waiting: AtomicUsize::new(0),
            free: Mutex::default(),
        });
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let known = Arc::downgrade(&shared);
            let pause = options.idle.clamp(Duration::from_secs(1), Duration::from_mins(1));
            runtime.spawn(async move {
                while let Some(shared) = known.upgrade() {
                    shared.reap();
                    drop(shared);
                    tokio::time::sleep(pause).await;
                }
            });
        }
        Ok(Self(shared))
    }

    /// Waits for a connection.
    pub(in crate::db) async fn lease(&self) -> Result<Lease, NoLease> {
        let shared = &self.0;
        let waiting = Waiting::new(&shared.waiting);
        let permit = tokio::time::timeout(shared.options.wait, shared.permits.clone().acquire_owned())
            .await
            .map_err(|_| NoLease::TimedOut)?
            .map_err(|closed| NoLease::Unreachable(Error::internal(closed)))?;
        drop(waiting);
        let (handle, born) = if let Some(free) = shared.take() {
            (free.handle, free.born)
        } else {
            let limit = shared.config.get_connect_timeout().copied();
            let opening = super::connect(&shared.config, &shared.tls);
            let handle = tokio::time::timeout(limit.unwrap_or(CONNECT), opening)
                .await
                .map_err(|_| NoLease::Unreachable(super::handshake::slow()))?
                .map_err(NoLease::Unreachable)?;
            (handle, Instant::now())
        };
        Ok(Lease {
            shared: Arc::downgrade(shared),
            handle,
            born,
            discarded: false,
            _permit: permit,
        })
    }

    /// Open connections that nobody uses, and requests that wait for one.
    pub(in crate::db) fn figures(&self) -> (usize, usize) {
        (self.0.lock().len(), self.0.waiting.load(Ordering::Relaxed))
    }

    /// As many as there may be, and those that somebody has.
    pub(in crate::db) fn in_use(&self) -> (usize, usize) {
        let most = self.0.options.size.max(1);
        (most, most.saturating_sub(self.0.permits.available_permits()))
    }

    /// Closes what nobody uses; the rest closes after its answer.
    pub(in crate::db) fn clear(&self) {
        self.0.lock().clear();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Free>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_spent(&self, free: &Free) -> bool {
        free.handle.is_closed()
            || free.since.elapsed() > self.options.idle
            || free.born.elapsed() > self.options.life
    }

    /// Closes what has been idle for too long.
    fn reap(&self) {
        self.lock().retain(|free| !self.is_spent(free));
    }

    /// The one used last, so that those not needed age.
    fn take(&self) -> Option<Free> {
        let mut free = self.lock();
        while let Some(last) = free.pop() {
            if !self.is_spent(&last) {
                return Some(last);
            }
        }
        None
    }
}

impl Lease {
    /// Sends a batch whose end frees the connection.
    pub(in crate::db) async fn last(self, batch: Arc<Batch>) -> Answer {
        let handle = self.handle.clone();
        let (reply, answer) = oneshot::channel();
        let request = Request {
            batch,
            reply,
            lease: Some(self),
            on_the_way: None,
        };
        if handle.send(request).is_err() {
            return Err(Failure::Lost);
        }
        answer.await.unwrap_or(Err(Failure::Lost))
    }

    /// Sends a batch after which more comes.
    pub(in crate::db) async fn next(&self, batch: Arc<Batch>) -> Answer {
        let (reply, answer) = oneshot::channel();
        let request = Request {
            batch,
            reply,
            lease: None,
            on_the_way: None,
        };
        if self.handle.send(request).is_err() {
            return Err(Failure::Lost);
        }
        answer.await.unwrap_or(Err(Failure::Lost))
    }

    /// Gives up the connection, because it will be closed.
    pub(in crate::db) fn discard(mut self) {
        self.discarded = true;
    }

    /// Sends `ROLLBACK` without waiting for it; what is sent on the connection later comes after it.
    pub(in crate::db) fn roll_back(self) {
        let handle = self.handle.clone();
        let (reply, _) = oneshot::channel();
        let _ = handle.send(Request {
            batch: Arc::new(Batch::end("rollback")),
            reply,
            lease: Some(self),
            on_the_way: None,
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        let free = Free {
            handle: self.handle.clone(),
            born: self.born,
            since: Instant::now(),
        };
        // Before the permit goes, so that whoever gets it finds the connection.
        if !self.discarded && !free.handle.is_closed() && free.born.elapsed() <= shared.options.life {
            shared.lock().push(free);
        }
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lease")
    }
}
