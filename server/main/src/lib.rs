//! The server as a whole: which modules there are, and nothing else of substance.

pub mod assets;
pub mod audit;
pub mod backup;
pub mod demo;
pub mod doctor;
pub mod migrate;
pub mod operators;
pub mod policies;
mod reach;
pub mod secrets;
pub mod serve;
mod stand_in;
pub mod types;

use std::sync::Arc;

use tenon_sdk::Module;
use tokio::sync::Notify;

/// The kernel's other parts, engines and apps, in the order of their migrations. The services that every server has come before them.
pub fn modules(reload: &Arc<Notify>) -> Vec<Module> {
    vec![
        tenon_data_api::module(reload.clone()),
        tenon_audit::module(),
        tenon_realtime::module(),
        tenon_storage::module(),
        tenon_imports::module(),
        tenon_purchasing::app(),
    ]
}

/// The description of all commands, as committed in `openapi.json`.
pub fn openapi() -> String {
    let modules = modules(&Arc::default());
    let document = tenon_services::server::describe_with_services(modules);
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}
