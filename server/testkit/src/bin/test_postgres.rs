//! `test-postgres [--bin-dir DIR] [--] COMMAND…` runs a command with a PostgreSQL of its own, named by
//! `TENON_TEST_POSTGRES`, and ends with the command's code. The database is gone afterwards.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tenon_testkit::postgres::{TestCluster, VARIABLE, sweep};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// Runs a command with a PostgreSQL of its own.
#[derive(Parser)]
struct Arguments {
    /// The folder of `postgres` and `initdb`.
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    // Listened to from here on: a signal during the start must not leave the cluster behind.
    let mut signals = Signals::listen()?;
    sweep();
    let cluster = TestCluster::start(arguments.bin_dir).await?;
    eprintln!(
        "test-postgres: PostgreSQL {} from {}",
        cluster.cluster().version(),
        cluster.cluster().bin_dir().display()
    );

    let (program, rest) = arguments.command.split_first().context("no command given")?;
    let child = Command::new(program)
        .args(rest)
        .env(VARIABLE, cluster.url())
        .spawn();
    let result = match child {
        Ok(mut child) => signals
            .forward_until_end(&mut child)
            .await
            .map_err(anyhow::Error::from),
        Err(error) => Err(error).with_context(|| format!("{program} could not be run")),
    };
    cluster.stop().await;
    Ok(ExitCode::from(code(result?)))
}

/// A shell's convention: the code, or 128 and the signal.
fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the command. A SIGTERM is handed on at once. A SIGINT came from a terminal, which sent it to
    /// the command as well; only if that goes on is it asked to end.
    async fn forward_until_end(&mut self, child: &mut Child) -> std::io::Result<ExitStatus> {
        let pid = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .map(Pid::from_raw);
        let terminate = || pid.map(|pid| kill(pid, Signal::SIGTERM));
        tokio::select! {
            status = child.wait() => return status,
            _ = self.terminate.recv() => { terminate(); }
            _ = self.interrupt.recv() => {
                if let Ok(status) = tokio::time::timeout(Duration::from_secs(5), child.wait()).await {
                    return status;
                }
                terminate();
            }
        }
        tokio::select! {
            status = child.wait() => return status,
            () = tokio::time::sleep(Duration::from_secs(20)) => {}
            _ = self.interrupt.recv() => {}
        }
        child.kill().await?;
        child.wait().await
    }
}
