//! The account that runs PostgreSQL, which refuses to run as root: an ordinary user runs it as itself, root
//! as an unprivileged account that owns nothing but the cluster's folder.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{Mode, SFlag, fstatat};
use nix::unistd::{Gid, Uid, User, fchownat, geteuid};

use super::error::{ClusterError, IoContext};

/// Accounts that root may become, best first. `tenon` is made by operators who want one of its own.
const PREFERRED: [&str; 3] = ["tenon", "postgres", "nobody"];

/// An unprivileged account; exists only when this process is root.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub uid: Uid,
    pub gid: Gid,
    pub name: String,
}

impl Account {
    /// The account to become for the cluster in `home`, or `None` when this process is an ordinary user.
    ///
    /// A cluster that an ordinary user made keeps running as that user, so that both can start it.
    pub(super) fn choose(home: &Path) -> Result<Option<Self>, ClusterError> {
        let owner = fs::metadata(home.join("data"))
            .ok()
            .map(|found| Uid::from_raw(found.uid()));
        let me = geteuid();
        if !me.is_root() {
            return match owner {
                Some(owner) if owner != me => Err(ClusterError::Access(format!(
                    "the database in {} belongs to {}. Start Tenon as that user or as root, or give the folder \
                     to yourself: sudo chown -R {me} {}",
                    home.display(),
                    describe(owner),
                    home.display()
                ))),
                _ => Ok(None),
            };
        }
        if let Some(owner) = owner.filter(|owner| !owner.is_root()) {
            if let Ok(Some(user)) = User::from_uid(owner) {
                return Ok(Some(Self::of(user)));
            }
            let gid = fs::metadata(home.join("data")).context("read", home)?.gid();
            return Ok(Some(Self {
                uid: owner,
                gid: Gid::from_raw(gid),
                name: owner.to_string(),
            }));
        }
        PREFERRED
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten().filter(|user| !user.uid.is_root()))
            .map(|user| Some(Self::of(user)))
            .ok_or_else(|| {
                ClusterError::Access(
                    "PostgreSQL refuses to run as root and this machine has none of the users tenon, postgres and \
                     nobody. Make one (useradd --system tenon), or start Tenon as an ordinary user."
                        .to_owned(),
                )
            })
    }

    fn of(user: User) -> Self {
        Self {
            uid: user.uid,
            gid: user.gid,
            name: user.name,
        }
    }

    /// Makes `command` run as this account; its supplementary groups are dropped with root.
    pub(super) fn apply(&self, command: &mut Command) {
        command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
    }

    /// Gives one file or folder to this account, a link itself and not what it points to.
    pub(super) fn own(&self, path: &Path) -> Result<(), ClusterError> {
        lchown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw())).context("change the owner of", path)
    }

    /// Gives a whole folder to this account. Walks by open folders and never through links: the account
    /// may write there, and must not be able to lead root out of it.
    pub(super) fn own_tree(&self, path: &Path) -> Result<(), ClusterError> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let folder = Dir::open(path, flags, Mode::empty()).context("open", path)?;
        self.own_below(folder).context("change the owner in", path)?;
        self.own(path)
    }

    fn own_below(&self, mut folder: Dir) -> nix::Result<()> {
        let names: Vec<_> = folder
            .iter()
            .map(|entry| Ok(entry?.file_name().to_owned()))
            .collect::<nix::Result<_>>()?;
        for name in names
            .iter()
            .filter(|name| !matches!(name.to_bytes(), b"." | b".."))
        {
            let name = name.as_c_str();
            fchownat(
                &folder,
                name,
                Some(self.uid),
                Some(self.gid),
                AtFlags::AT_SYMLINK_NOFOLLOW,
            )?;
            let found = fstatat(&folder, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
            if SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR {
                let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
                self.own_below(Dir::openat(&folder, name, flags, Mode::empty())?)?;
            }
        }
        Ok(())
    }

    /// The first folder on the way to `path` (itself included) that this account may not enter.
    pub(super) fn blocked_at(&self, path: &Path) -> Option<PathBuf> {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut ancestors: Vec<_> = path.ancestors().collect();
        ancestors.reverse();
        ancestors
            .into_iter()
            .find(|&folder| fs::metadata(folder).is_ok_and(|found| !self.may_enter(&found)))
            .map(Path::to_owned)
    }

    fn may_enter(&self, folder: &Metadata) -> bool {
        let mode = folder.permissions().mode();
        let bit = if folder.uid() == self.uid.as_raw() {
            0o100
        } else if folder.gid() == self.gid.as_raw() {
            0o010
        } else {
            0o001
        };
        mode & bit != 0
    }
}

fn describe(uid: Uid) -> String {
    match User::from_uid(uid) {
        Ok(Some(user)) => format!("the user {}", user.name),
        _ => format!("the user id {uid}"),
    }
}
