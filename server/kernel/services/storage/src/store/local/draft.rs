//! Files under temporary names. A process has a folder of drafts to itself and holds its lock: what lies in a folder that nobody
//! locks was left by a process that died, and goes.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use tenon_sdk::env::Env;

use super::files;

const LOCK: &str = "lock";

/// This process's folder of drafts.
#[derive(Debug)]
pub(super) struct Drafts {
    folder: PathBuf,
    next: AtomicU64,
    _lock: File,
}

impl Drafts {
    /// Makes a folder for this process among those of others, and clears away those of the dead.
    pub(super) fn open(all: &Path, env: &Env) -> io::Result<Self> {
        for entry in fs::read_dir(all)? {
            let folder = entry?.path();
            if is_abandoned(&folder) {
                files::gone(fs::remove_dir_all(&folder))?;
            }
        }
        // Made and locked under a name that no sweeper looks at.
        let name = tenon_sdk::hex(env.new_id().as_bytes());
        let hidden = all.join(format!(".{name}"));
        fs::create_dir(&hidden)?;
        let lock = File::create(hidden.join(LOCK))?;
        lock.lock()?;
        let folder = all.join(name);
        fs::rename(&hidden, &folder)?;
        Ok(Self {
            folder,
            next: AtomicU64::new(0),
            _lock: lock,
        })
    }

    /// A new, empty draft.
    pub(super) fn create(&self) -> io::Result<Draft> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(number.to_string());
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Draft {
            file,
            path: Unkept(Some(path)),
        })
    }
}

impl Drop for Drafts {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_abandoned(folder: &Path) -> bool {
    let hidden = folder
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    match File::open(folder.join(LOCK)) {
        Ok(lock) => match lock.try_lock() {
            // One that is just being made has its lock only a moment later.
            Ok(()) => !hidden,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
        Err(cause) => cause.kind() == io::ErrorKind::NotFound && !hidden,
    }
}

/// A file that is not kept yet; dropped, it goes.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) file: File,
    path: Unkept,
}

impl Draft {
    /// Flushes it and gives it its place; from then on it is there, even after a loss of power.
    pub(super) fn publish(mut self, place: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        if let Some(path) = &self.path.0 {
            files::rename(path, place)?;
            self.path.0 = None;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Unkept(Option<PathBuf>);

impl Drop for Unkept {
    fn drop(&mut self) {
        let Some(path) = self.0.take() else { return };
        let remove = move || {
            let _ = fs::remove_file(path);
        };
        // Letting go of a large file takes a while.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}
