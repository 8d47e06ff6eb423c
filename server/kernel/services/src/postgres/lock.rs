//! One server per data directory: an exclusive lock on `<data directory>/tenon.lock`, held for life.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::{ClusterError, IoContext};

const FILE: &str = "tenon.lock";

/// The lock; the kernel releases it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(data_dir: &Path) -> Result<Self, ClusterError> {
        let path = data_dir.join(FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .context("open", &path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ClusterError::InUse {
                    dir: data_dir.to_owned(),
                    pid: read_pid(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(error).context("lock", &path),
        }
        file.set_len(0).context("write", &path)?;
        file.rewind().context("write", &path)?;
        writeln!(file, "{}", std::process::id()).context("write", &path)?;
        Ok(Self { _file: file })
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// The process that last held the data directory, when it was started at all and has ended without being
/// replaced: such a directory may be swept away by whoever made it for a limited time.
pub fn abandoned_by(data_dir: &Path) -> Option<u32> {
    let mut file = File::open(data_dir.join(FILE)).ok()?;
    let pid = read_pid(&mut file)?;
    let ended = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.try_into().ok()?), None)
        == Err(nix::errno::Errno::ESRCH);
    (ended && file.try_lock().is_ok()).then_some(pid)
}
