//! Live changes, broadcast and presence in the wire form of Supabase Realtime.

use tenon_sdk::Module;

/// The module's manifest.
pub fn module() -> Module {
    Module::new("realtime", "Realtime")
}
