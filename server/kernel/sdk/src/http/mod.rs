//! What routes share: extractors that check before a handler runs, and errors on the wire.

mod client;
mod error;
mod extract;
mod identity;
mod wire;

pub use client::{ClientAddress, Peer};
pub use error::ErrorBody;
pub use extract::{Caller, Json, Path, Permit, Query, Tx};
pub use identity::{KEY_PREFIX, OrgHeader, RequestIdentity, authenticate};
pub use wire::{Connection, Forgiving, Prompt};

/// In the extensions of an answer: nothing on the way may compress or otherwise change its body.
#[derive(Clone, Copy, Debug)]
pub struct AsItIs;
