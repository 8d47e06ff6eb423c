//! What engines and apps may know of the kernel: identities and the door to data, permissions, errors, settings, events,
//! jobs, the manifest of a module and the traits of what it can do. An app that needs more than this is asking the
//! wrong room.

pub mod accounts;
pub mod audit;
pub mod config;
pub mod ctx;
pub mod db;
pub mod env;
pub mod error;
pub mod events;
pub mod http;
pub mod ids;
pub mod import_template;
pub mod imports;
pub mod jobs;
pub mod kernel;
pub mod live;
pub mod module;
pub mod notify;
mod origin;
pub mod outbound;
pub mod permission;
pub mod schedule;
pub mod secrets;
pub mod stopping;
pub mod telemetry;

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            _ = write!(text, "{byte:02x}");
            text
        })
}

pub use ctx::Ctx;
pub use db::{SystemTx, TenantTx};
pub use error::{Error, Result};
pub use ids::{OrgId, UserId};
pub use kernel::Kernel;
pub use module::Module;
