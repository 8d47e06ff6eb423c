//! Finds the PostgreSQL to start.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::Account;
use super::error::{ClusterError, IoContext};

/// Major versions that Tenon runs on.
pub const SUPPORTED: std::ops::RangeInclusive<u32> = 15..=18;

/// A version as `postgres --version` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The major version: 18 of 18.4.
    pub major: u32,
    /// The whole number, such as `18.4` or `19beta1`.
    pub full: String,
}

impl Version {
    /// Reads a line such as `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    fn parse(line: &str) -> Option<Self> {
        let full = line.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?;
        let digits = full.find(|c: char| !c.is_ascii_digit()).unwrap_or(full.len());
        Some(Self {
            major: full[..digits].parse().ok()?,
            full: full.to_owned(),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

/// A folder with `postgres` and `initdb` that this machine can execute.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    pub bin_dir: PathBuf,
    pub version: Version,
}

impl Binaries {
    /// Chooses the installation: the explicit one, else the first of `candidates`, `pg_config`'s and the usual
    /// folders that works. An existing database prefers the version that made it (`made_by`).
    pub(super) fn find(
        explicit: Option<&Path>,
        candidates: &[PathBuf],
        made_by: Option<u32>,
    ) -> Result<Self, ClusterError> {
        let from_env = std::env::var_os("TENON_PG_BIN")
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        if let Some(bin_dir) = explicit.map(Path::to_owned).or(from_env) {
            return Self::probe(&bin_dir).map_err(|reason| ClusterError::UnusableBinaries {
                bin_dir: bin_dir.clone(),
                reason,
            });
        }
        let mut tried = Vec::new();
        let mut first = None;
        for bin_dir in candidates.iter().cloned().chain(usual_folders()) {
            match Self::probe(&bin_dir) {
                Ok(found) if made_by.is_none_or(|made_by| made_by == found.version.major) => {
                    return Ok(found);
                }
                Ok(found) => first = first.or(Some(found)),
                Err(reason) => tried.push(format!("{} ({reason})", bin_dir.display())),
            }
        }
        first.ok_or(ClusterError::NotFound { tried })
    }

    fn probe(bin_dir: &Path) -> Result<Self, String> {
        let bin_dir = bin_dir.canonicalize().map_err(|error| error.to_string())?;
        for name in ["postgres", "initdb"] {
            if !bin_dir.join(name).is_file() {
                return Err(format!("it holds no `{name}`"));
            }
        }
        let line = run_version(&bin_dir, None).map_err(|error| error.to_string())??;
        let version =
            Version::parse(&line).ok_or_else(|| format!("`postgres --version` printed {line:?}"))?;
        if SUPPORTED.contains(&version.major) {
            Ok(Self { bin_dir, version })
        } else {
            Err(format!(
                "it is PostgreSQL {version}, and Tenon needs {} to {}",
                SUPPORTED.start(),
                SUPPORTED.end()
            ))
        }
    }

    /// Makes sure that `account` can execute these binaries; an installation hidden in a closed folder (such as
    /// below /root) is copied into `home`, which is the account's own.
    pub(super) fn reachable_by(self, account: Option<&Account>, home: &Path) -> Result<Self, ClusterError> {
        if matches!(run_version(&self.bin_dir, account), Ok(Ok(_))) {
            return Ok(self);
        }
        let name = account.map_or("this user", |account| account.name.as_str());
        let installation = self
            .bin_dir
            .parent()
            .filter(|root| root.join("share").is_dir() && root.join("lib").is_dir());
        let Some(installation) = installation else {
            return Err(ClusterError::UnusableBinaries {
                reason: format!(
                    "the user {name}, who runs PostgreSQL because root may not, cannot execute it. Open the folders \
                     on the way to it (chmod o+x), or set TENON_PG_BIN to another installation."
                ),
                bin_dir: self.bin_dir,
            });
        };
        let copy = home.join(format!("installation-{}", self.version));
        if !copy.is_dir() {
            tracing::info!(from = %installation.display(), to = %copy.display(),
                "copying PostgreSQL to where the user {name} can execute it");
            let half = home.join("installation.new");
            if half.exists() {
                fs::remove_dir_all(&half).context("remove", &half)?;
            }
            copy_tree(installation, &half).context("copy PostgreSQL to", &half)?;
            fs::rename(&half, &copy).context("rename", &half)?;
        }
        let name = self.bin_dir.file_name().unwrap_or_else(|| "bin".as_ref());
        Ok(Self {
            bin_dir: copy.join(name),
            version: self.version,
        })
    }
}

/// Runs `postgres --version`; the inner error is what it printed when it failed.
fn run_version(bin_dir: &Path, account: Option<&Account>) -> io::Result<Result<String, String>> {
    let mut command = Command::new(bin_dir.join("postgres"));
    command.arg("--version").current_dir("/");
    if let Some(account) = account {
        account.apply(&mut command);
    }
    let output = command.output()?;
    Ok(if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(format!(
            "`postgres --version` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))
    })
}

/// `pg_config --bindir`, then the folders of Debian, Red Hat, the source build and Homebrew, newest first.
fn usual_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output()
        && output.status.success()
    {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    for major in SUPPORTED.rev() {
        folders.push(format!("/usr/lib/postgresql/{major}/bin").into());
        folders.push(format!("/usr/pgsql-{major}/bin").into());
        folders.push(format!("/opt/homebrew/opt/postgresql@{major}/bin").into());
        folders.push(format!("/usr/local/opt/postgresql@{major}/bin").into());
    }
    folders.push("/usr/local/pgsql/bin".into());
    folders.push("/usr/bin".into());
    folders.retain(|folder| folder.join("postgres").exists());
    folders
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(&source)?, &target)?;
        } else {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions_of_debian_betas_and_plain_builds_are_read() {
        let of = |line| Version::parse(line).map(|version| (version.major, version.full));
        assert_eq!(of("postgres (PostgreSQL) 18.4"), Some((18, "18.4".into())));
        assert_eq!(
            of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some((15, "15.18".into()))
        );
        assert_eq!(of("postgres (PostgreSQL) 19beta1"), Some((19, "19beta1".into())));
        assert_eq!(of("something else"), None);
    }
}
