//! nginx as Debian configures it, as far as serving files goes: a worker a core, `sendfile`, `tcp_nopush`; without a log.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::net::{TcpListener, TcpStream};

use crate::processor;

/// Which program; set by `cargo xtask bench`, which installs it where it is missing.
const VARIABLE: &str = "TENON_NGINX";

#[derive(Debug)]
pub struct Nginx {
    child: Child,
    pub address: String,
}

impl Nginx {
    /// Serves the files of a folder.
    pub async fn start(folder: &Path, files: &Path) -> Result<Self> {
        let program = std::env::var_os(VARIABLE).unwrap_or_else(|| "nginx".into());
        let address = TcpListener::bind(("127.0.0.1", 0))
            .await?
            .local_addr()?
            .to_string();
        let root = files.to_str().context("a path with letters of an unknown kind")?;
        let (errors, own) = (folder.join("nginx.log"), folder.join("nginx"));
        fs::create_dir(&own)?;
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind};", own.display()))
            .join(" ");
        let settings = folder.join("nginx.conf");
        // As root it would give its workers to somebody who may not read what lies in a home folder.
        let user = if nix::unistd::geteuid().is_root() {
            "user root;"
        } else {
            ""
        };
        fs::write(
            &settings,
            format!(
                "daemon off; {user} worker_processes auto; pid {own}/pid; error_log {errors};\n\
                 events {{ worker_connections 768; }}\n\
                 http {{ sendfile on; tcp_nopush on; keepalive_requests 1000000000; access_log off; {temporary}\n\
                 server {{ listen {address}; root {root}; }} }}\n",
                own = own.display(),
                errors = errors.display()
            ),
        )?;
        let child = Command::new(&program)
            .arg("-e")
            .arg(&errors)
            .arg("-c")
            .arg(&settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("start {} (Debian: apt-get install nginx)", program.display()))?;
        let mut nginx = Self { child, address };
        for _ in 0..500 {
            if TcpStream::connect(&nginx.address).await.is_ok() {
                return Ok(nginx);
            }
            ensure!(
                nginx.child.try_wait()?.is_none(),
                "nginx ended:\n{}",
                fs::read_to_string(&errors).unwrap_or_default()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("nginx does not answer")
    }

    /// Seconds of processor time so far, with its workers.
    pub fn processor(&self) -> Result<f64> {
        processor::seconds_of_family(self.child.id())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it, if it is asked.
        if let Ok(pid) = i32::try_from(self.child.id()) {
            _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
        }
        _ = self.child.wait();
    }
}
