//! The trail of what was done in each organisation. See the README beside this crate.

mod entry;
mod export;
mod filter;
pub mod permissions;
mod routes;
mod upkeep;
pub mod verify;

pub use upkeep::{make_ahead, retire, seal};

use tenon_sdk::{Kernel, Module, migrations};

/// The module's manifest.
pub fn module() -> Module {
    Module::new("audit", "Audit trail")
        .tables(
            "audit",
            migrations!["../migrations/" =>
                "0001_entries", "0002_track", "0003_seals", "0004_kernel", "0005_webhooks", "0006_changes"],
        )
        .permissions(permissions::ALL)
        .routes(routes::routes)
        .on_start(|kernel: Kernel| async move {
            upkeep::begin(&kernel).await;
            Ok(())
        })
        .worker(upkeep::work)
}
