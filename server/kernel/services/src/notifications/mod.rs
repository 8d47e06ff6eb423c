//! Telling people what happened: notices in the app, mails and text messages, as each of them wants it. What others hand in
//! ([`tenon_sdk::notify`]) is spread by a job; messages are written into the database and sent by workers.

mod catcher;
mod deliver;
mod digest;
pub(crate) mod doubt;
mod hours;
pub(crate) mod html;
mod letter;
mod mailbox;
mod message;
mod notices;
mod outgoing;
mod people;
mod probe;
mod routes;
mod sms;
mod spread;

pub(crate) use catcher::router as catcher;
pub(crate) use deliver::work;
pub(crate) use message::{Message, TextMessage, decoy, queue, queue_by, queue_text};
pub use probe::probe;
pub(crate) use sms::{WHATSAPP, verified_by_provider};

use tenon_sdk::{Module, migrations};

/// The topic of a person's own news.
const TOPIC: &str = "notifications";

/// The module's manifest.
pub fn module() -> Module {
    Module::new("notifications", "Notifications")
        .tables(
            "notifications",
            migrations!["../../migrations/notifications/" => "0001_messages", "0002_channels", "0003_people"],
        )
        .routes(routes::routes)
        .job::<spread::Spread>()
        .job::<digest::Digest>()
        .own_topic(TOPIC)
        .accounts(people::Choices)
}
