//! `cargo xtask run`: from a checkout to a running Tenon.

use std::convert::Infallible;
use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, program, root, run as run_command, target};
use crate::steps::seconds;
use crate::{postgres, web};

const DEFAULT_PORT: u16 = 8000;

#[derive(clap::Args)]
pub struct Options {
    /// Builds without optimisation: ready sooner, slower afterwards.
    #[arg(long)]
    debug: bool,
    /// Where the data lives; made when missing.
    #[arg(long, default_value_os_t = root().join(".tenon"))]
    data_dir: PathBuf,
    /// The port of the web app and the APIs.
    #[arg(long, default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Starts with an empty Tenon instead of the demo.
    #[arg(long)]
    no_demo: bool,
}

/// Builds, then becomes the server: signals reach it without a detour.
pub fn run(options: &Options) -> Result<Infallible> {
    check_port(options.port)?;
    step("web packages", web::install)?;
    step("web app", web::build)?;
    let mut installation = None;
    step("PostgreSQL", || {
        installation = Some(postgres::installation()?);
        Ok(())
    })?;
    step("server", || {
        let profile: &[&str] = if options.debug { &[] } else { &["--release"] };
        run_command(cargo().args(["build", "--locked", "-p", "tenon"]).args(profile))
    })?;

    let binary = target()
        .join(if options.debug { "debug" } else { "release" })
        .join("tenon");
    let mut server = program(&binary);
    server
        .arg("serve")
        .arg("--data-dir")
        .arg(&options.data_dir)
        .args(["--port", &options.port.to_string()]);
    if !options.no_demo {
        // Whoever tries the demo out sees the mail it would send.
        server.args(["--demo", "--set", "mail.mailbox=true"]);
    }
    // An existing database is served by the version that made it, which the server finds by itself.
    if let Some(installation) = installation.filter(|found| suits(&options.data_dir, found.major)) {
        server.env("TENON_PG_BIN", installation.bin_dir);
    }
    let error = server.exec();
    Err(error).with_context(|| format!("{} could not be started", binary.display()))
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("── {name}");
    let started = Instant::now();
    work().with_context(|| format!("{name} failed"))?;
    println!("   {}", seconds(started.elapsed()));
    Ok(())
}

/// Better now than after minutes of building.
fn check_port(port: u16) -> Result<()> {
    match TcpListener::bind(("127.0.0.1", port)) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {port} is taken by another program. Choose another one: cargo xtask run --port {}",
            port.checked_add(1).unwrap_or(DEFAULT_PORT)
        ),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => bail!(
            "port {port} is not yours to open. Choose one above 1023: cargo xtask run --port {DEFAULT_PORT}"
        ),
        _ => Ok(()),
    }
}

fn suits(data_dir: &Path, major: u32) -> bool {
    let made_by = fs::read_to_string(data_dir.join("postgres/data/PG_VERSION"));
    made_by.map_or(true, |made_by| made_by.trim() == major.to_string())
}
