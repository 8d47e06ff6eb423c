//! PostgreSQL's own load generator.

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
        })
    }

    /// Runs a script with so many clients for so many seconds; gives its transactions a second.
    pub async fn run(&self, script: &Path, clients: usize, seconds: u32) -> Result<f64> {
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
            .args(["-T", &seconds.to_string(), "-U", self.login, "-h"])
            .arg(&self.socket)
            .arg("-f")
            .arg(script)
            .arg(DATABASE)
            .env("PGOPTIONS", "-c plan_cache_mode=force_generic_plan");
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
