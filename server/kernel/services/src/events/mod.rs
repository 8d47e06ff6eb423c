//! The outbox, its consumers, and what the database tells of jobs, events and news. `README.md` says how it goes about it.

mod aside;
mod consume;
mod listen;
mod permissions;
mod routes;
mod wake;

pub use aside::{Aside, Place, drop_aside, places, retry_aside};
pub use consume::{retire, work};
pub use listen::listen;
pub use wake::Wake;

use tenon_sdk::{Module, migrations};

/// The module's manifest.
pub fn module() -> Module {
    Module::new("events", "Events")
        .tables(
            "events",
            migrations!["../../migrations/events/" => "0001_outbox", "0002_consumers"],
        )
        .permissions(permissions::ALL)
        .routes(routes::routes)
        .on_start(consume::register)
}
