//! The whole installation in one file, and back. See the README beside this crate.

mod archive;
mod make;
mod manifest;
mod restore;
mod tables;

pub use archive::{Key, Opening, PIECE};
pub use make::{Backup, make};
pub use manifest::{Begin, End, TableRows};
pub use restore::{Restore, check, restore};

/// What is going on, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A table is through.
    Table {
        /// Its name with its schema.
        name: String,
        /// Rows of it.
        rows: u64,
    },
    /// Files are on their way.
    Files {
        /// How many are through.
        done: u64,
        /// Their bytes.
        bytes: u64,
    },
}
