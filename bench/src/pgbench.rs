//! PostgreSQL's own load generator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::server::DATABASE;

/// How it is found and where it connects.
#[derive(Debug)]
pub struct Pgbench {
    program: PathBuf,
    socket: PathBuf,
    login: &'static str,
    /// `name=value`, for scripts that say `:name`.
    pub variables: Vec<String>,
}

impl Pgbench {
    /// Looks for the program: on the search path, and beside `pg_config`.
    pub fn find(socket: PathBuf, login: &'static str) -> Result<Self> {
        let beside = Command::new("pg_config").arg("--bindir").output().ok();
        let beside = beside
            .map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).join("pgbench"));
        let program = std::iter::once(PathBuf::from("pgbench"))
            .chain(beside)
            .find(|program| Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success()))
            .context("pgbench is missing: apt install postgresql-contrib (Debian: part of the package postgresql-NN)")?;
        Ok(Self {
            program,
            socket,
            login,
            variables: Vec::new(),
        })
    }

    /// Runs a script with so many clients for so many seconds; gives its transactions a second.
    pub async fn run(&self, script: &Path, clients: usize, seconds: u32) -> Result<f64> {
        self.tell(self.command(script, clients, seconds)).await
    }

    /// The same with times: transactions a second, and the milliseconds within which 99 of 100 were done. One in ten is
    /// timed, into files in `folder`, so that the timing costs little.
    pub async fn run_timed(
        &self,
        script: &Path,
        clients: usize,
        seconds: u32,
        folder: &Path,
    ) -> Result<(f64, f64)> {
        let mut command = self.command(script, clients, seconds);
        let folder = tempfile::Builder::new().prefix("times-").tempdir_in(folder)?;
        command
            .args(["-l", "--sampling-rate=0.1"])
            .current_dir(folder.path());
        let rate = self.tell(command).await?;
        let mut took = Vec::new();
        for file in fs::read_dir(folder.path())? {
            // client, transaction, microseconds, script, second, microsecond
            let text = fs::read_to_string(file?.path())?;
            took.extend(
                text.lines()
                    .filter_map(|line| line.split(' ').nth(2)?.parse::<u32>().ok()),
            );
        }
        took.sort_unstable();
        let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
        Ok((rate, f64::from(p99) / 1000.0))
    }

    fn command(&self, script: &Path, clients: usize, seconds: u32) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.program);
        command
            .args([
                "-n",
                "-M",
                "prepared",
                "-c",
                &clients.to_string(),
                "-j",
                &clients.min(2).to_string(),
            ])
            .args(self.variables.iter().flat_map(|variable| ["-D", variable]))
            .args(["-T", &seconds.to_string(), "-U", self.login, "-h"])
            .arg(&self.socket)
            .arg("-f")
            .arg(script)
            .arg(DATABASE)
            .env("PGOPTIONS", "-c plan_cache_mode=force_generic_plan");
        command
    }

    async fn tell(&self, mut command: tokio::process::Command) -> Result<f64> {
        let output = command.output().await?;
        let (told, wrong) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        ensure!(
            output.status.success() && !told.contains("number of failed transactions: 1"),
            "{told}{wrong}"
        );
        let rate = told
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        rate.with_context(|| format!("pgbench told no rate:\n{told}{wrong}"))
    }
}
