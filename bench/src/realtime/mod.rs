//! `realtime`: broadcasts to many, connections that do nothing, row changes to those who may see them, and what organisations
//! that are not meant cost a change.

mod arrivals;
mod broadcast;
mod changes;
mod curve;
pub mod fan_out;
mod frames;
mod idle;
mod listeners;
mod people;
mod socket;
mod writer;

use anyhow::{Context, Result};

use crate::server::{self, Server};
use people::SECRET_SETTING;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Rounds of each part.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Seconds of each round.
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Only this part: broadcast, idle, changes or curve.
    #[arg(long)]
    only: Option<String>,
    /// Subscribers of the broadcasts.
    #[arg(long, default_value_t = 1_000)]
    subscribers: u32,
    /// Connections that do nothing.
    #[arg(long, default_value_t = 10_000)]
    connections: u32,
    /// Other organisations at the end of the curve.
    #[arg(long, default_value_t = 1_000)]
    organizations: u32,
}

pub async fn run(options: &Options) -> Result<()> {
    let binary = server::build()?;
    let parts = ["broadcast", "idle", "changes", "curve"];
    for part in parts {
        if options.only.as_deref().is_some_and(|only| only != part) {
            continue;
        }
        // Each begins with a server that has done nothing yet: memory is never given back whole.
        let folder = server::folder()?;
        let server = Server::start(&binary, &folder.path().join("data"), SETTINGS).await?;
        match part {
            "broadcast" => broadcast::run(&server, options).await?,
            "idle" => idle::run(&server, options).await?,
            "changes" => changes::run(&server, options).await?,
            _ => curve::run(&server, options).await?,
        }
        println!(
            "  memory of the server: {} MiB at its peak",
            server.memory_kib("VmHWM")? >> 10
        );
        server.stop()?;
    }
    Ok(())
}

/// All connections come at once and from one address; nobody sends heartbeats while something is measured.
const SETTINGS: &[&str] = &[
    "--set",
    "realtime.joins_per_second=0",
    "--set",
    "realtime.connections=0",
    "--set",
    "realtime.silent_seconds=3600",
    "--set",
    SECRET_SETTING,
];

/// How many connections a process may have, raised as far as it is allowed; the server is started with the same.
fn allow_connections(wanted: u32) -> Result<u32> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("raise the number of open files")?;
    // Some files are open anyway.
    let allowed = u32::try_from(most.saturating_sub(500)).unwrap_or(u32::MAX);
    Ok(wanted.min(allowed))
}
