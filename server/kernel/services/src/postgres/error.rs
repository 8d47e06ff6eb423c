//! What can go wrong with the private cluster. Every message says what the operator can do.

use std::io;
use std::path::{Path, PathBuf};

/// Why the private cluster could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// No usable PostgreSQL on this machine.
    #[error(
        "no PostgreSQL 15 to 18 was found. Install one (Debian and Ubuntu: apt-get install postgresql), or \
         set TENON_PG_BIN to the folder that holds `postgres` and `initdb`, or DATABASE_URL to a running \
         server.{}", looked_at(.tried)
    )]
    NotFound {
        /// Each folder looked at, with the reason why it was refused.
        tried: Vec<String>,
    },
    /// The folder named by the operator cannot be used.
    #[error("the PostgreSQL in {} cannot be used: {reason}", .bin_dir.display())]
    UnusableBinaries {
        /// The folder as given.
        bin_dir: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The data directory was made by another major version than the binaries found.
    #[error(
        "the database in {} was made by PostgreSQL {found}, but the PostgreSQL to be started is {wanted}{from}. \
         Set TENON_PG_BIN to the bin folder of PostgreSQL {found}; or move to the new version: start with \
         {found} once more, write a copy with pg_dump, move this folder away, start again, and read the copy \
         back with psql.", .dir.display()
    )]
    OtherVersion {
        /// The cluster's folder.
        dir: PathBuf,
        /// Major version that made it.
        found: String,
        /// Major version of the binaries.
        wanted: u32,
        /// Where these are, as a part of the sentence.
        from: String,
    },
    /// Another server holds the data directory.
    #[error(
        "the data directory {} is in use by another Tenon server{}. Stop that one, or choose another data \
         directory.", .dir.display(), holder(*.pid)
    )]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// Process id of its holder, when it could be read.
        pid: Option<u32>,
    },
    /// A postmaster left by an earlier server does not stop.
    #[error(
        "a PostgreSQL left by an earlier server still runs on {} (process {pid}) and did not stop when asked. \
         End it with `kill -QUIT {pid}`, then start again.", .dir.display()
    )]
    Orphan {
        /// The cluster's folder.
        dir: PathBuf,
        /// The postmaster's process id.
        pid: i32,
    },
    /// Files belong to somebody else, or cannot be reached by the account that runs PostgreSQL.
    #[error("{0}")]
    Access(String),
    /// `initdb` failed.
    #[error("initdb failed and left nothing behind:\n{output}")]
    Initdb {
        /// What it printed.
        output: String,
    },
    /// PostgreSQL ended before it was ready, or was not ready in time.
    #[error("PostgreSQL did not start: {reason}\nlast lines of its log:\n{log}")]
    NotReady {
        /// How it failed.
        reason: String,
        /// The tail of its log.
        log: String,
    },
    /// The running cluster refused a statement of ours.
    #[error("PostgreSQL refused a statement: {0}")]
    Statement(#[from] tokio_postgres::Error),
    /// The operating system refused something.
    #[error("{action} {}: {source}", .path.display())]
    Io {
        /// What was tried, as a verb ("create", "read").
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

fn looked_at(tried: &[String]) -> String {
    if tried.is_empty() {
        String::new()
    } else {
        format!(" Looked at: {}", tried.join("; "))
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// Adds the action and the path to an I/O error.
pub(super) trait IoContext<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, ClusterError>;
}

impl<T, E: Into<io::Error>> IoContext<T> for Result<T, E> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, ClusterError> {
        self.map_err(|source| ClusterError::Io {
            action,
            path: path.to_owned(),
            source: source.into(),
        })
    }
}
