//! Mail and text messages: written into the database by whoever has something to tell, sent by workers.

mod catcher;
pub(crate) mod html;
mod mailbox;
mod message;
mod probe;
mod send;
mod sms;

pub(crate) use catcher::router as catcher;
pub(crate) use message::{Message, TextMessage, decoy, queue, queue_by, queue_text};
pub use probe::probe;
pub(crate) use send::work;
pub(crate) use sms::{WHATSAPP, verified_by_provider};

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
