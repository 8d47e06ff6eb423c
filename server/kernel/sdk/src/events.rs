//! Facts recorded in the outbox in the same transaction as the change they describe.

use serde_json::Value;
use uuid::Uuid;

/// A fact: what happened, to what.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `app.thing_verbed`, such as `purchasing.import_committed`.
    pub kind: &'static str,
    /// The id of the thing it happened to.
    pub subject: Option<Uuid>,
    /// Particulars, for consumers. No secrets.
    pub payload: Value,
}

impl Event {
    /// An event about a thing.
    pub fn new(kind: &'static str, subject: Uuid, payload: Value) -> Self {
        Self {
            kind,
            subject: Some(subject),
            payload,
        }
    }
}
