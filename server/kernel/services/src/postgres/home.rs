//! Where the cluster lives: `<data directory>/postgres` with `data/`, `log/` and `socket/`.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use sha2::{Digest, Sha256};

use super::account::Account;
use super::error::{ClusterError, IoContext};

/// Longest path of a unix socket: `sockaddr_un.sun_path` holds 108 bytes on Linux and 104 on macOS, with the
/// closing zero.
const LONGEST_SOCKET: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The name PostgreSQL gives its socket, with the lock file beside it.
const SOCKET_FILE: &str = "/.s.PGSQL.65535.lock";

/// Where root keeps the cluster of a data directory that no other user can reach.
const OUTSIDE: &str = "/var/lib/tenon";

/// The cluster's own folders, all 0700 and owned by the account that runs PostgreSQL.
#[derive(Debug)]
pub(super) struct Home {
    /// The folder that holds the others.
    pub root: PathBuf,
    /// The socket's folder, inside `root` when the path is short enough.
    pub socket: PathBuf,
    /// Whether `socket` lies in the system's temporary folder, to be removed at the end.
    pub socket_is_temporary: bool,
    /// Who runs PostgreSQL when this process is root.
    pub account: Option<Account>,
}

impl Home {
    /// Finds or makes the folders for `data_dir`, an existing absolute path without links.
    pub(super) fn prepare(data_dir: &Path) -> Result<Self, ClusterError> {
        let link = data_dir.join("postgres");
        let mut root = link.canonicalize().unwrap_or_else(|_| link.clone());
        let account = Account::choose(&root)?;
        if let Some(account) = &account {
            let parent = root.parent().unwrap_or(&root).to_owned();
            if let Some(blocked) = account.blocked_at(&parent) {
                root = outside(data_dir, &link, account, &blocked)?;
            }
        }
        private_folder(&root, account.as_ref())?;
        if let Some(account) = &account
            && fs::symlink_metadata(root.join("data")).is_ok_and(|data| data.uid() == 0)
        {
            account.own_tree(&root)?;
        }
        private_folder(&root.join("log"), account.as_ref())?;
        let (socket, socket_is_temporary) = socket_folder(data_dir, &root)?;
        private_folder(&socket, account.as_ref())?;
        Ok(Self {
            root,
            socket,
            socket_is_temporary,
            account,
        })
    }

    /// PostgreSQL's data directory.
    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The folder of the server's log files.
    pub(super) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// The major version that made the database, if there is one.
    pub(super) fn made_by(&self) -> Result<Option<String>, ClusterError> {
        let path = self.data().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("read", &path),
        }
    }
}

/// Makes a folder that only the cluster's account may enter, or checks that an existing one is such.
fn private_folder(path: &Path, account: Option<&Account>) -> Result<(), ClusterError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            if let Some(account) = account {
                account.own(path)?;
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(path).context("read", path)?;
            let owner = account.map_or(geteuid(), |account| account.uid);
            let mine = found.uid() == owner.as_raw() || (found.uid() == 0 && geteuid().is_root());
            if !found.is_dir() || !mine || found.mode() & 0o077 != 0 {
                return Err(ClusterError::Access(format!(
                    "{} must be a folder of mode 0700 that belongs to user id {owner}. Move away what is there, \
                     or repair its owner and mode.",
                    path.display()
                )));
            }
            if let Some(account) = account.filter(|account| found.uid() != account.uid.as_raw()) {
                account.own(path)?;
            }
            Ok(())
        }
        Err(error) => Err(error).context("create", path),
    }
}

/// Where the socket of a data directory's cluster is, if there is such a cluster.
pub(super) fn socket_of(data_dir: &Path) -> Option<PathBuf> {
    let root = data_dir.join("postgres").canonicalize().ok()?;
    let (socket, _) = socket_folder(data_dir, &root).ok()?;
    Some(socket)
}

/// The port in the name of a running cluster's socket: the fourth line of what its postmaster wrote down.
pub(super) fn port_of(data_dir: &Path) -> Option<u16> {
    let root = data_dir.join("postgres").canonicalize().ok()?;
    let written = fs::read_to_string(root.join("data/postmaster.pid")).ok()?;
    written.lines().nth(3)?.trim().parse().ok()
}

/// The socket's folder and whether it is a temporary one. The temporary one's name comes from the data directory, so that every
/// start, and an operator's `psql`, finds the same.
fn socket_folder(data_dir: &Path, root: &Path) -> Result<(PathBuf, bool), ClusterError> {
    let fits = |folder: &Path| folder.as_os_str().len() + SOCKET_FILE.len() <= LONGEST_SOCKET;
    let inside = root.join("socket");
    if fits(&inside) {
        return Ok((inside, false));
    }
    let name = format!("tenon-{}", short_hash(data_dir));
    [std::env::temp_dir(), PathBuf::from("/tmp")]
        .into_iter()
        .map(|folder| folder.join(&name))
        .find(|folder| fits(folder))
        .map(|folder| (folder, true))
        .ok_or_else(|| {
            ClusterError::Access("no folder is short enough for PostgreSQL's unix socket".to_owned())
        })
}

/// Puts the cluster where `account` can reach it, and a link to it in the data directory.
fn outside(data_dir: &Path, link: &Path, account: &Account, blocked: &Path) -> Result<PathBuf, ClusterError> {
    let explain = |what: &str| {
        format!(
            "PostgreSQL runs as the user {} because it refuses to run as root, and that user may not enter {}. {what}",
            account.name,
            blocked.display()
        )
    };
    if link.join("data").exists() {
        return Err(ClusterError::Access(explain(&format!(
            "Open that folder (chmod o+x {}), or move {} to where everybody may enter.",
            blocked.display(),
            data_dir.display()
        ))));
    }
    let name = data_dir
        .file_name()
        .map(|name| name.to_string_lossy().replace('.', ""))
        .unwrap_or_default();
    let root = Path::new(OUTSIDE).join(format!("{name}-{}", short_hash(data_dir)));
    let made = DirBuilder::new().recursive(true).mode(0o755).create(OUTSIDE);
    if made.is_err() || account.blocked_at(Path::new(OUTSIDE)).is_some() {
        return Err(ClusterError::Access(explain(
            "Choose a data directory that everybody may enter, such as /srv/tenon, or start Tenon as an ordinary user.",
        )));
    }
    if fs::symlink_metadata(link).is_ok_and(|found| found.is_dir()) {
        fs::remove_dir(link).context("replace", link)?;
    }
    if fs::symlink_metadata(link).is_err() {
        symlink(&root, link).context("create", link)?;
        File::open(data_dir)
            .and_then(|folder| folder.sync_all())
            .context("write", data_dir)?;
    }
    tracing::warn!(
        "{}",
        explain(&format!("Its files are therefore kept in {}.", root.display()))
    );
    Ok(root)
}

fn short_hash(path: &Path) -> String {
    tenon_sdk::hex(&Sha256::digest(path.as_os_str().as_bytes())[..6])
}
