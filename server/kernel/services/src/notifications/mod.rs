//! Mail: written into the database by whoever has something to tell, sent by workers.

mod mailbox;
mod message;
mod send;

pub(crate) use message::{Message, queue};
pub(crate) use send::work;

use tenon_sdk::{Module, migrations};

/// The module's manifest.
pub fn module() -> Module {
    Module::new("notifications", "Notifications")
        .tables(
            "notifications",
            migrations!["../../migrations/notifications/" => "0001_messages", "0002_channels"],
        )
        .routes(mailbox::routes)
}
