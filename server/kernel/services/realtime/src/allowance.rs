//! What one connection may have and do at a time, so that nobody else has to wait for it.

use std::sync::Arc;

use tenon_sdk::config;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Conditions of one connection at most that the database has to be asked about.
const CONDITIONS: usize = 200;

/// The allowance of one connection.
#[derive(Debug)]
pub struct Allowance {
    subscribing: Semaphore,
    database: Semaphore,
    /// Conditions that the database may still be asked about.
    pub conditions: Arc<Semaphore>,
    /// Bytes that it may still say of itself.
    pub presence: Arc<Semaphore>,
}

impl Allowance {
    /// As the settings say.
    pub fn new(settings: &config::Realtime) -> Arc<Self> {
        Arc::new(Self {
            subscribing: Semaphore::new(1),
            database: Semaphore::new(1),
            conditions: Arc::new(Semaphore::new(CONDITIONS)),
            presence: Arc::new(Semaphore::new(
                settings.presence_bytes.min(Semaphore::MAX_PERMITS),
            )),
        })
    }

    /// Waits until the connection asks for no other subscription.
    pub async fn subscribing(&self) -> Option<SemaphorePermit<'_>> {
        self.subscribing.acquire().await.ok()
    }

    /// Waits until the connection does nothing else with the database.
    pub async fn database(&self) -> Option<SemaphorePermit<'_>> {
        self.database.acquire().await.ok()
    }
}
