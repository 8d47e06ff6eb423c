//! Buckets and objects in the wire form of Supabase Storage, TUS and S3.

pub mod render;
mod scan;
pub mod store;

use tenon_sdk::Module;

/// The module's manifest.
pub fn module() -> Module {
    Module::new("storage", "Storage")
}
