//! Live changes.

use serde::Deserialize;

/// Live changes, broadcast and presence.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Realtime {
    /// Streams row changes and what SQL sends; off, channels carry broadcasts of clients and presence only.
    pub changes: bool,
    /// Bytes of recent changes kept for subscribers who come back.
    pub kept_bytes: usize,
    /// Seconds for which they are kept.
    pub kept_seconds: i64,
    /// Seconds after which nobody's slot is dropped, and after which a slot is given up while nobody listens.
    pub slot_idle_seconds: u64,
    /// Bytes of log that a slot may hold back before it is given up.
    pub slot_max_bytes: u64,
    /// Bytes of a changed row above which only its small values are sent.
    pub max_change_bytes: usize,
    /// Bytes of a frame at most.
    pub max_frame_bytes: usize,
    /// Bytes of a broadcast's payload at most.
    pub max_payload_bytes: usize,
    /// Bytes that may wait for one connection; it is dropped when more would.
    pub max_waiting_bytes: usize,
    /// Connections of one organisation at most on one process; those without one share theirs. 0: no limit.
    pub connections: usize,
    /// Channels of one connection at most.
    pub channels: usize,
    /// Subscriptions to changes of one channel at most.
    pub subscriptions: usize,
    /// Bytes that they take in all, as JSON.
    pub subscription_bytes: usize,
    /// Conditions of subscribers of the same rights at most that the database has to be asked about.
    pub conditions: usize,
    /// Bytes that all channels of a connection may say of themselves by presence.
    pub presence_bytes: usize,
    /// Joins of one organisation a second on one process. 0: no limit.
    pub joins_per_second: u32,
    /// Broadcasts of one organisation a second on one process. 0: no limit.
    pub events_per_second: u32,
    /// Presence messages of one organisation a second on one process. 0: no limit.
    pub presence_per_second: u32,
    /// Hours for which messages sent by SQL are kept for replay.
    pub messages_hours: u32,
    /// Seconds without any frame after which a connection is closed.
    pub silent_seconds: u64,
    /// Seconds between looks at who speaks in a channel: who was removed hears no broadcast after that.
    pub check_seconds: u64,
    /// Refuses channels that are not private.
    pub private_only: bool,
}
