//! Telling others.

use serde::Deserialize;

/// Webhooks that organisations set up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Endpoints of one organisation at most.
    pub endpoints: u32,
    /// Deliveries to one endpoint at a time.
    pub at_once: i32,
    /// Seconds an endpoint has to answer.
    pub timeout_seconds: u64,
    /// Days after which an endpoint that takes nothing is switched off.
    pub disable_days: i32,
    /// Days that the log is kept, four at least.
    pub keep_days: i32,
}
