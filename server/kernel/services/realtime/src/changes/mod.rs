//! Changes of rows, from PostgreSQL's log to those who may see them and asked for them.
//!
//! [`feed`] reads the log, [`registry`] finds the groups of subscribers who may be meant and keeps the last changes, [`lane`] asks
//! the walls for a group and hands out what passes.

pub mod feed;
pub mod filter;
pub mod group;
mod json;
mod lane;
pub mod messages;
mod payload;
mod pgoutput;
pub mod position;
pub mod registry;
mod subscribe;
mod table;
mod wall;

pub use subscribe::{Refused, Wanted, read_since};

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use lane::Surroundings;
use registry::{Kept, Registry, Ticket};
use tenon_sdk::{Error, Kernel, config};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use crate::hub::Hub;

/// The state of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Nobody listens.
    Resting,
    /// It runs.
    Up,
    /// It does not run, and why.
    Down(String),
}

/// The changes of this process.
pub struct Changes {
    pub(crate) kernel: Kernel,
    pub(crate) hub: Arc<Hub>,
    pub(crate) registry: Registry,
    around: Arc<Surroundings>,
    asking: Semaphore,
    state: watch::Sender<Stream>,
    listeners: AtomicUsize,
    wanted: Notify,
    slot: Mutex<String>,
    has_slot: AtomicBool,
    last_listened: Mutex<Timestamp>,
    /// Milliseconds from the commit of the last change until it was read.
    lag: AtomicU64,
}

impl Changes {
    /// Nothing is streamed before somebody listens. `node` names the process.
    pub fn new(kernel: Kernel, hub: Arc<Hub>, node: u64) -> Arc<Self> {
        let settings = &kernel.config().realtime;
        let around = Arc::new(Surroundings {
            kernel: kernel.clone(),
            views: wall::Views::default(),
            limit: settings.max_change_bytes,
            conditions: settings.conditions,
        });
        let kept = Kept {
            bytes: settings.kept_bytes,
            age: SignedDuration::from_secs(settings.kept_seconds),
        };
        Arc::new(Self {
            registry: Registry::new(around.clone(), kept),
            around,
            hub,
            // Others need the database, too.
            asking: Semaphore::new((kernel.config().database.pool_size / 4).clamp(1, 4)),
            state: watch::Sender::new(Stream::Resting),
            listeners: AtomicUsize::new(0),
            wanted: Notify::new(),
            slot: Mutex::new(format!("tenon_realtime_{node:016x}")),
            has_slot: AtomicBool::new(false),
            last_listened: Mutex::new(kernel.env().now()),
            lag: AtomicU64::new(0),
            kernel,
        })
    }

    fn settings(&self) -> &config::Realtime {
        &self.kernel.config().realtime
    }

    fn now(&self) -> Timestamp {
        self.kernel.env().now()
    }

    /// Somebody listens, until what this gives is dropped.
    pub fn listen(self: &Arc<Self>) -> Listening {
        self.listeners.fetch_add(1, Ordering::Relaxed);
        self.wanted.notify_one();
        Listening(self.clone())
    }

    async fn wanted(&self) {
        while !self.settings().changes || self.listeners.load(Ordering::Relaxed) == 0 {
            self.wanted.notified().await;
        }
    }

    /// Whether nobody has listened for long.
    fn is_idle(&self) -> bool {
        let last = *self.last_listened.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = i64::try_from(self.settings().slot_idle_seconds).unwrap_or(i64::MAX);
        self.listeners.load(Ordering::Relaxed) == 0 && self.now().duration_since(last).as_secs() >= idle
    }

    /// The stream's state, and what becomes of it.
    pub fn state(&self) -> watch::Receiver<Stream> {
        self.state.subscribe()
    }

    fn is_up(&self) {
        self.state.send_replace(Stream::Up);
    }

    fn is_down(&self, error: &Error) {
        let details = error.details.as_deref().unwrap_or_default();
        self.state
            .send_replace(Stream::Down(format!("{} {details}", error.message)));
    }

    fn is_resting(&self) {
        self.has_slot.store(false, Ordering::Relaxed);
        self.registry.broke("Nobody listened.");
        self.state.send_replace(Stream::Resting);
    }

    /// A change was read that was committed then.
    fn read_one_of(&self, committed: Timestamp) {
        let lag = self.now().duration_since(committed).as_millis();
        self.lag.store(u64::try_from(lag).unwrap_or(0), Ordering::Relaxed);
    }

    /// How long after its commit the last change was read.
    pub(crate) fn lag(&self) -> Duration {
        Duration::from_millis(self.lag.load(Ordering::Relaxed))
    }

    fn slot(&self) -> String {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take_slot(&self, name: &str) {
        name.clone_into(&mut self.slot.lock().unwrap_or_else(PoisonError::into_inner));
        self.has_slot();
    }

    fn has_slot(&self) {
        self.has_slot.store(true, Ordering::Relaxed);
    }

    fn had_slot(&self) -> bool {
        self.has_slot.load(Ordering::Relaxed)
    }

    /// Something in the schema changed: what roles may see is asked anew.
    pub fn schema_changed(&self) {
        self.around.views.forget();
    }
}

/// Somebody who listens.
pub struct Listening(Arc<Changes>);

impl Drop for Listening {
    fn drop(&mut self) {
        *self
            .0
            .last_listened
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = self.0.now();
        self.0.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A subscription, until it is dropped.
pub struct Subscribed {
    changes: Arc<Changes>,
    ticket: Ticket,
    _listening: Listening,
    _conditions: Option<OwnedSemaphorePermit>,
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        self.changes.registry.remove(&self.ticket);
    }
}
