//! The outbox's tables, and live news for browsers as server-sent events.

mod listen;
mod sse;

pub use listen::listen;

use tenon_sdk::{Module, migrations};

/// The module's manifest.
pub fn module() -> Module {
    Module::new("events", "Events")
        .tables("events", migrations!["../../migrations/events/" => "0001_outbox"])
        .routes(sse::routes)
}
