//! Signals that ask for what announcements ask for: SIGUSR1 for the schema, SIGUSR2 for the configuration.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::state::Shared;

/// Follows the signals for as long as the process lives.
pub(super) fn follow(shared: &Arc<Shared>) {
    let reloading = shared.clone();
    if let Ok(mut schema) = signal(SignalKind::user_defined1()) {
        tokio::spawn(async move {
            while schema.recv().await.is_some() {
                reloading.reload_schema.notify_one();
            }
        });
    }
    let reloading = shared.clone();
    if let Ok(mut config) = signal(SignalKind::user_defined2()) {
        tokio::spawn(async move {
            while config.recv().await.is_some() {
                reloading.reload_config().await;
            }
        });
    }
}
