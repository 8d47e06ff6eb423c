//! The outbox.

use serde::Deserialize;

/// Events and who is handed them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// Days that events are kept at least; those that a consumer has not had are kept longer.
    pub keep_days: i32,
}
