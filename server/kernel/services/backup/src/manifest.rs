//! What a backup says of itself, before and after its content.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenon_sdk::{Error, Result};

/// The form of the file; a higher one is of a newer Tenon.
pub(crate) const FORM: u32 = 1;

/// The first entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begin {
    /// The form of the file.
    pub form: u32,
    /// Tenon's version.
    pub tenon: String,
    /// When it was begun, by the clock of the machine that made it.
    pub made_at: Timestamp,
    /// PostgreSQL's version.
    pub postgres: String,
    /// Migrations that had been applied.
    pub migrations: Vec<Applied>,
    /// Columns of each table, in the order of their values.
    pub tables: BTreeMap<String, Vec<String>>,
    /// The first months or weeks of tables that are divided by time: partitions are made from here on.
    pub oldest: BTreeMap<String, Timestamp>,
    /// Whether secrets in it are sealed by keys of a file, which the restored installation needs.
    pub needs_master_file: bool,
}

/// A migration that had been applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Whose it is.
    pub module: String,
    /// Its name.
    pub name: String,
    /// The hash of its text.
    pub checksum: String,
}

/// The last entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Rows of each table.
    pub tables: BTreeMap<String, u64>,
    /// Values of sequences.
    pub sequences: BTreeMap<String, i64>,
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Names of objects whose content was not there.
    pub missing: Vec<String>,
}

/// Rows of a table.
pub type TableRows = BTreeMap<String, u64>;

impl Begin {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let begin: Self = serde_json::from_slice(bytes).map_err(|error| broken(&error.to_string()))?;
        if begin.form > FORM {
            return Err(Error::conflict(
                "backup.newer",
                "The backup was made by a newer Tenon than this one.",
            )
            .details(format!("It was made by {}.", begin.tenon))
            .hint("Restore it with that version or a later one."));
        }
        Ok(begin)
    }
}

impl End {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| broken(&error.to_string()))
    }
}

/// Something in the file is not as a backup has it.
pub(crate) fn broken(details: &str) -> Error {
    Error::invalid("backup.broken", "The file is no backup, or not all of one.")
        .details(details.to_owned())
        .hint("Take another backup; `tenon restore --check` tells which are whole.")
}
