//! `idle`: what a server that has nothing to do costs, how large it is, how fast it starts.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::report::verdict;
use crate::server::{self, Server};

const MEMORY_MIB: f64 = 60.0;
const BINARY_MIB: f64 = 60.0;
const START: Duration = Duration::from_secs(3);
const SETTLED: Duration = Duration::from_secs(10);

pub async fn run() -> Result<()> {
    let binary = server::build()?;
    let folder = server::folder()?;
    let data = folder.path().join("data");
    println!("idle: the release binary with the demo");

    let server = Server::start(&binary, &data, &["--demo"]).await?;
    println!(
        "  context: first start, with making the database and the demo: {:.2} s",
        server.started_in.as_secs_f64()
    );
    tokio::time::sleep(SETTLED).await;
    let first = memory_mib(&server)?;
    server.stop()?;

    let server = Server::start(&binary, &data, &["--demo"]).await?;
    let started_in = server.started_in;
    tokio::time::sleep(SETTLED).await;
    let second = memory_mib(&server)?;
    server.stop()?;

    let memory = format!("{first:.1} MiB after the first start, {second:.1} MiB after the second");
    verdict(
        "resident memory without PostgreSQL",
        &memory,
        "under 60 MiB",
        first.max(second) < MEMORY_MIB,
    );
    let size = stripped_mib(&binary, folder.path())?;
    verdict(
        "stripped binary",
        &format!("{size:.1} MiB"),
        "under 60 MiB",
        size < BINARY_MIB,
    );
    let started = format!("{:.2} s", started_in.as_secs_f64());
    verdict(
        "second start to the first answer",
        &started,
        "under 3 s",
        started_in < START,
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "memory in KiB is far below 2^52")]
fn memory_mib(server: &Server) -> Result<f64> {
    Ok(server.memory_kib("VmRSS")? as f64 / 1024.0)
}

#[expect(clippy::cast_precision_loss, reason = "a binary is far below 2^52 bytes")]
fn stripped_mib(binary: &Path, folder: &Path) -> Result<f64> {
    let copy = folder.join("stripped");
    let status = Command::new("strip")
        .arg("-o")
        .args([&copy, binary])
        .status()
        .context("strip is missing: apt install binutils")?;
    ensure!(status.success(), "strip failed");
    Ok(fs::metadata(copy)?.len() as f64 / (1024.0 * 1024.0))
}
