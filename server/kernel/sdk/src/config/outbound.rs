//! Calls outside.

use ipnet::IpNet;
use serde::Deserialize;

/// How the server calls others: providers of sign-in, hooks, SMS gateways.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    /// Networks that may be called though they are not public: private, loopback, link-local.
    pub allow_private: Vec<IpNet>,
    /// Milliseconds for one call with its repetitions, unless the caller says otherwise.
    pub timeout_ms: u64,
    /// Largest answer in bytes, unless the caller says otherwise.
    pub max_answer_bytes: usize,
    /// The proxy all calls go through, which then decides which addresses are reached; empty: none, whatever the environment says.
    pub proxy: String,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address of a proxy may hold a password.
        out.debug_struct("Outbound")
            .field("allow_private", &self.allow_private)
            .field("timeout_ms", &self.timeout_ms)
            .field("max_answer_bytes", &self.max_answer_bytes)
            .finish_non_exhaustive()
    }
}
