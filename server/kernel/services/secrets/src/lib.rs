//! Sealed values: envelope encryption with keys per organisation and purpose, under a versioned master key that is in no database.
//! README.md has the nouns.

mod columns;
mod keeper;
mod master;
mod rotate;
mod seal;

pub use keeper::Keeper;
pub use rotate::{Progress, Rotation, Status};
pub use seal::DataKey;

use tenon_sdk::{Module, migrations};

/// The tables of keys. The service itself is made before the kernel, since the kernel hands it out.
pub fn module() -> Module {
    Module::new("secrets", "Secrets").tables("secrets", migrations!["../migrations/" => "0001_keys"])
}
