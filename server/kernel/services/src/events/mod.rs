//! The outbox's tables, and what the database tells of jobs and news.

mod listen;

pub use listen::listen;

use tenon_sdk::{Module, migrations};

/// The module's manifest.
pub fn module() -> Module {
    Module::new("events", "Events").tables("events", migrations!["../../migrations/events/" => "0001_outbox"])
}
