//! The postmaster's process: started, watched and started again by one thread of its own.
//!
//! It is one long-lived thread because Linux sends the parent-death signal when the *thread* that started
//! the child ends, and the threads of an async runtime's pool come and go.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::watch;

use super::account::Account;
use super::lock::Lock;

/// Waiting time before the first restart; it doubles with every further one up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A postmaster that ran this long is believed to be well, and the pauses begin anew.
const WELL_AFTER: Duration = Duration::from_mins(1);
/// Lines kept of what the postmaster prints before its log files take over.
const KEPT_LINES: usize = 40;

/// How the postmaster is started, each time alike.
#[derive(Debug)]
pub(super) struct Launch {
    pub program: PathBuf,
    pub arguments: Vec<std::ffi::OsString>,
    pub account: Option<Account>,
}

/// What the thread is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// A postmaster runs; whether it answers already is another question.
    Running,
    /// It ended by itself and will be started again.
    Restarting,
    /// It ended and stays so; the text says how.
    Ended(String),
}

#[derive(Debug, Default)]
struct Shared {
    pid: Option<Pid>,
    stopping: bool,
    /// Set once the postmaster has answered: from then on it is started again when it ends.
    proven: bool,
    restarts: u64,
    printed: VecDeque<String>,
}

/// The handle to the thread.
#[derive(Debug)]
pub(super) struct Postmaster {
    shared: Arc<(Mutex<Shared>, Condvar)>,
    state: watch::Receiver<State>,
}

impl Postmaster {
    /// Starts the thread. It holds `lock` until the last postmaster has ended.
    pub(super) fn start(launch: Launch, lock: Lock) -> std::io::Result<Self> {
        let shared = Arc::new((Mutex::new(Shared::default()), Condvar::new()));
        let (sender, state) = watch::channel(State::Running);
        let theirs = Arc::clone(&shared);
        thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || {
                let end = supervise(&launch, &theirs, &sender);
                drop(lock);
                sender.send_replace(State::Ended(end));
            })?;
        Ok(Self { shared, state })
    }

    pub(super) fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    pub(super) fn set_proven(&self) {
        guard(&self.shared.0).proven = true;
    }

    pub(super) fn restarts(&self) -> u64 {
        guard(&self.shared.0).restarts
    }

    pub(super) fn pid(&self) -> Option<u32> {
        guard(&self.shared.0)
            .pid
            .and_then(|pid| u32::try_from(pid.as_raw()).ok())
    }

    /// What the postmaster printed last.
    pub(super) fn printed(&self) -> Vec<String> {
        guard(&self.shared.0).printed.iter().cloned().collect()
    }

    /// Sends a shutdown signal; the postmaster is not started again. SIGINT is a fast shutdown.
    pub(super) fn stop(&self, signal: Signal) {
        let mut shared = guard(&self.shared.0);
        shared.stopping = true;
        if let Some(pid) = shared.pid {
            _ = kill(pid, signal);
        }
        self.shared.1.notify_all();
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        self.stop(Signal::SIGINT);
    }
}

fn guard(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs postmasters one after another; returns how the last one ended.
fn supervise(
    launch: &Launch,
    shared: &Arc<(Mutex<Shared>, Condvar)>,
    state: &watch::Sender<State>,
) -> String {
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        let end = run_once(launch, shared, state);
        let mut now = guard(&shared.0);
        now.pid = None;
        if now.stopping || !now.proven {
            return end;
        }
        now.restarts += 1;
        if started.elapsed() > WELL_AFTER {
            pause = FIRST_PAUSE;
        }
        tracing::error!(%end, ?pause, printed = %now.printed.iter().cloned().collect::<Vec<_>>().join("\n"),
            "PostgreSQL ended by itself and is started again");
        state.send_replace(State::Restarting);
        let (now, _) = shared
            .1
            .wait_timeout_while(now, pause, |now| !now.stopping)
            .unwrap_or_else(PoisonError::into_inner);
        if now.stopping {
            return end;
        }
        drop(now);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn run_once(launch: &Launch, shared: &Arc<(Mutex<Shared>, Condvar)>, state: &watch::Sender<State>) -> String {
    let mut child = {
        // Held while starting, so that a stop in between finds the new process.
        let mut now = guard(&shared.0);
        if now.stopping {
            return "stopped before it was started".to_owned();
        }
        now.printed.clear();
        match launch.spawn() {
            Ok(child) => {
                now.pid = i32::try_from(child.id()).ok().map(Pid::from_raw);
                child
            }
            Err(error) => return format!("{} could not be run: {error}", launch.program.display()),
        }
    };
    state.send_replace(State::Running);
    if let Some(stderr) = child.stderr.take() {
        let shared = Arc::clone(shared);
        // Ends with the pipe, which the postmaster closes when its log files take over.
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut now = guard(&shared.0);
                if now.printed.len() == KEPT_LINES {
                    now.printed.pop_front();
                }
                now.printed.push_back(line);
            }
        });
    }
    match child.wait() {
        Ok(status) => describe(status),
        Err(error) => format!("it could not be waited for: {error}"),
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with code {code}"),
        (None, Some(signal)) => format!("it was killed by signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}

impl Launch {
    fn spawn(&self) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        environment(&mut command, self.account.as_ref());
        // A group of its own: Ctrl-C in a terminal stops the server first, which then stops PostgreSQL.
        command.process_group(0);
        die_with_parent(&mut command);
        command.spawn()
    }
}

/// Runs a program of PostgreSQL as the right user, in a folder that this user may enter, and without the
/// `PG*` and locale variables of whoever started the server.
pub(super) fn environment(command: &mut Command, account: Option<&Account>) {
    command.env_clear().env("LC_ALL", "C").current_dir("/");
    for name in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    if let Some(account) = account {
        account.apply(command);
    }
}

/// Asks the kernel to send the child SIGINT, a fast shutdown, when the thread that starts it ends.
#[cfg(target_os = "linux")]
pub(super) fn die_with_parent(command: &mut Command) {
    let parent = nix::unistd::getpid();
    let hook = move || {
        nix::sys::prctl::set_pdeathsig(Signal::SIGINT)?;
        // The parent may have died before the call above.
        if nix::unistd::getppid() == parent {
            Ok(())
        } else {
            Err(nix::errno::Errno::ESRCH.into())
        }
    };
    // SAFETY: between fork and exec the hook makes two system calls; it neither allocates nor locks. It runs
    // after the change of user, which would clear the signal again.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(hook);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn die_with_parent(_: &mut Command) {}
