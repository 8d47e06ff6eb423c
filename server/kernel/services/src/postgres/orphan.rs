//! A postmaster that outlived its server. On Linux it is told to stop when its server dies, but may still be
//! at it; elsewhere it goes on.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::{ClusterError, IoContext};

/// How long a fast and then an immediate shutdown may take.
const PATIENCE: [(Signal, Duration); 2] = [
    (Signal::SIGINT, Duration::from_mins(1)),
    (Signal::SIGQUIT, Duration::from_secs(10)),
];

/// Stops a postmaster that still runs on `data` and waits for its end. The caller holds the data directory's
/// lock, so no living server owns it.
pub(super) fn stop(data: &Path) -> Result<(), ClusterError> {
    let file = data.join("postmaster.pid");
    let Some(pid) = fs::read_to_string(&file)
        .ok()
        .and_then(|text| text.lines().next()?.trim().parse().ok())
    else {
        return Ok(());
    };
    if !runs(pid) {
        // PostgreSQL itself clears the file away.
        return Ok(());
    }
    if !is_postmaster_of(pid, data) {
        // After a restart of the machine or container the number belongs to somebody else, and PostgreSQL
        // would refuse to start because of it.
        tracing::warn!(%pid, "removing a stale postmaster.pid");
        return fs::remove_file(&file).context("remove", &file);
    }
    tracing::warn!(%pid, "stopping the PostgreSQL that an earlier server left behind");
    for (signal, patience) in PATIENCE {
        if matches!(kill(Pid::from_raw(pid), signal), Err(error) if error != Errno::ESRCH) {
            break;
        }
        let started = Instant::now();
        while started.elapsed() < patience {
            if !runs(pid) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
    Err(ClusterError::Orphan {
        dir: data.to_owned(),
        pid,
    })
}

fn runs(pid: i32) -> bool {
    pid > 0 && kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH) && !is_zombie(pid)
}

/// An ended process whose parent, often a container's careless first process, never asked for its result.
fn is_zombie(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| rest.starts_with('Z'))
}

#[cfg(target_os = "linux")]
fn is_postmaster_of(pid: i32, data: &Path) -> bool {
    match fs::read_link(format!("/proc/{pid}/cwd")) {
        // A postmaster works in its data directory.
        Ok(folder) => folder == data,
        // Somebody else's process: the program's name has to do.
        Err(_) => fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres"),
    }
}

#[cfg(not(target_os = "linux"))]
fn is_postmaster_of(pid: i32, data: &Path) -> bool {
    let output = std::process::Command::new("ps")
        .args(["-o", "command=", "-p", &pid.to_string()])
        .output();
    output.is_ok_and(|output| {
        let line = String::from_utf8_lossy(&output.stdout).into_owned();
        line.contains("postgres") && line.contains(&data.display().to_string())
    })
}
