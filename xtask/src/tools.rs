//! The programs that a machine must have: found, installed by name where that is possible, or asked for.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use crate::command::{program, read, run, works};

/// The oldest Node.js that the web app's tools run on.
const NODE: (u32, u32) = (20, 19);

/// Makes sure that Node.js and npm are there and new enough.
pub fn node() -> Result<()> {
    let advice = format!(
        "Install Node.js {}.{} or later with npm: from https://nodejs.org, or by your system's packages (Debian and \
         Ubuntu: apt-get install nodejs npm, if they are new enough there; macOS: brew install node)",
        NODE.0, NODE.1
    );
    let Ok(version) = read(program("node").arg("--version")) else {
        bail!("Node.js is missing. {advice}");
    };
    let mut numbers = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map(|number| number.parse().unwrap_or(0));
    if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < NODE {
        bail!("Node.js {} is too old. {advice}", version.trim());
    }
    if !works("npm", "--version") {
        bail!("Node.js is there, but npm is missing. {advice}");
    }
    Ok(())
}

/// A Chromium for the end-to-end tests: `TENON_CHROMIUM`, or the machine's, or Debian's package.
pub fn chromium() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("TENON_CHROMIUM").filter(|path| !path.is_empty()) {
        if works(&path, "--version") {
            return Ok(path.into());
        }
        bail!(
            "TENON_CHROMIUM names {}, which does not start",
            PathBuf::from(path).display()
        );
    }
    if let Some(found) = find_chromium() {
        return Ok(found);
    }
    // Without a font, a page has no text to click on.
    apt_install(&["chromium", "fonts-liberation"])?;
    find_chromium().context("chromium was installed and yet does not start")
}

fn find_chromium() -> Option<PathBuf> {
    [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ]
    .iter()
    .find(|name| works(name, "--version"))
    .map(PathBuf::from)
    .and_then(|name| which(&name))
    .or_else(|| {
        let mac = PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
        mac.exists().then_some(mac)
    })
}

/// The nginx that downloads are compared with: `TENON_NGINX`, or the machine's, or Debian's package.
pub fn nginx() -> Result<PathBuf> {
    let named = std::env::var_os("TENON_NGINX").filter(|path| !path.is_empty());
    // Where Debian has it is not in everybody's PATH.
    let found = || {
        let mut places = vec!["nginx".into(), "/usr/sbin/nginx".into()];
        places.splice(..0, named.clone());
        places
            .into_iter()
            .map(PathBuf::from)
            .find(|place| works(place, "-v"))
    };
    if let Some(found) = found() {
        return Ok(found);
    }
    apt_install(&["nginx"])?;
    found().context("nginx was installed and yet does not start")
}

/// The full path of a program in PATH.
fn which(name: &std::path::Path) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// Installs Debian packages when this is root on a machine with apt, else says what to type.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if !works("apt-get", "--version") {
        bail!("missing: {names}. Install it with your system's packages");
    }
    if !geteuid().is_root() {
        bail!("missing: {names}. Install it: sudo apt-get install -y {names}");
    }
    println!("   installing {names} with apt-get");
    let install = || {
        let mut command = program("apt-get");
        command
            .args(["install", "-y", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command)
    };
    // A fresh machine knows no packages before the update, most others do.
    install().or_else(|_| run(program("apt-get").args(["update", "-q"])).and_then(|()| install()))
}

/// Whether nextest is installed.
pub fn has_nextest() -> bool {
    crate::command::cargo()
        .args(["nextest", "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Whether cargo-deny is installed.
pub fn has_cargo_deny() -> bool {
    crate::command::cargo()
        .args(["deny", "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}
