//! What a client says when it joins.

use serde_json::Value;
use tenon_sdk::config;

use super::join::MAX_NAME;
use crate::replay::{self, Replay};

/// The `config` of a join.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "as clients send them")]
pub struct Settings {
    /// Policies decide who may join.
    pub private: bool,
    /// Its own broadcasts come back to it.
    pub echoes: bool,
    /// Its broadcasts are answered.
    pub acknowledges: bool,
    /// It wants to know when what SQL sends is streamed.
    pub wants_ready: bool,
    /// Messages from before it joined.
    pub replay: Result<Option<Replay>, ()>,
    /// It wants to know who is there.
    pub presence: bool,
    /// What it is known by there.
    pub presence_key: Option<String>,
    /// The changes it wants.
    pub changes: Vec<Value>,
}

impl Settings {
    /// Reads the payload of a join. What is missing or makes no sense is as if it were not there.
    pub fn read(payload: &Value) -> Self {
        let config = &payload["config"];
        let (broadcast, presence) = (&config["broadcast"], &config["presence"]);
        let truth = |value: &Value| value.as_bool().unwrap_or(value == "true");
        let changes = config["postgres_changes"].as_array().into_iter().flatten();
        Self {
            private: truth(&config["private"]),
            echoes: truth(&broadcast["self"]),
            acknowledges: truth(&broadcast["ack"]),
            wants_ready: truth(&broadcast["replication_ready"]),
            replay: replay::read(&broadcast["replay"]),
            presence: presence["enabled"].as_bool().unwrap_or(true),
            presence_key: presence["key"]
                .as_str()
                .filter(|key| !key.is_empty())
                .map(str::to_owned),
            changes: changes.filter(|change| !change.is_null()).cloned().collect(),
        }
    }

    /// Refuses what would be too much to keep or to ask the database about.
    pub fn check(&self, limits: &config::Realtime) -> Result<(), String> {
        let bytes: usize = self.changes.iter().map(|change| change.to_string().len()).sum();
        if self.changes.len() > limits.subscriptions || bytes > limits.subscription_bytes {
            return Err(format!(
                "TooManySubscriptions: A channel takes at most {} subscriptions to changes of {} bytes in all",
                limits.subscriptions, limits.subscription_bytes
            ));
        }
        if self.presence_key.as_ref().is_some_and(|key| key.len() > MAX_NAME) {
            return Err("NameTooLong: The presence key is too long".to_owned());
        }
        Ok(())
    }
}
