//! The data API as a module of the server.

use std::sync::Arc;

use tenon_sdk::Module;
use tokio::sync::Notify;

/// The module's manifest. `reload` wakes it when the schema may have changed.
pub fn module(_reload: Arc<Notify>) -> Module {
    Module::new("rest", "Data API")
}
