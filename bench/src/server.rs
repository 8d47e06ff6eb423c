//! The server under test: the release binary on a private PostgreSQL of its own, as people run it.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_postgres::NoTls;

use crate::processor;

/// The name of the database that the server keeps in its private cluster.
pub const DATABASE: &str = "tenon";
const PATIENCE: Duration = Duration::from_mins(2);

/// Builds the release binary, unless it is up to date, and gives its path.
pub fn build() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release", "--locked", "-p", "tenon"])
        .current_dir(&root);
    // What cargo says of this package is not so for that build: scripts that look at it would run again each time.
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    let status = command.status().context("run cargo")?;
    ensure!(status.success(), "the server does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/tenon").canonicalize()?)
}

/// An empty folder that the account of PostgreSQL may enter; gone at the end.
pub fn folder() -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("tenon-bench-").tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    data: PathBuf,
    /// Host and port.
    pub address: String,
    /// From the start of the process to its first answer.
    pub started_in: Duration,
}

impl Server {
    /// Starts `binary` on a data directory and waits for its first answer.
    pub async fn start(binary: &Path, data: &Path, options: &[&str]) -> Result<Self> {
        // Taken and given back, so that the first request can be on its way before the server says where it is.
        let port = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?.port();
        let log = data.with_extension("log");
        let began = Instant::now();
        let child = Command::new(binary)
            .args([
                "serve",
                "--bind",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "--data-dir",
            ])
            .arg(data)
            .args(options)
            .current_dir(data.parent().unwrap_or(data))
            .env_remove("DATABASE_URL")
            .env(
                "RUST_LOG",
                std::env::var("TENON_BENCH_LOG").unwrap_or_else(|_| "warn".to_owned()),
            )
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("start {}", binary.display()))?;
        let mut server = Self {
            child,
            data: data.to_owned(),
            address: format!("127.0.0.1:{port}"),
            started_in: Duration::ZERO,
        };
        let url = format!("http://{}/healthz", server.address);
        while reqwest::get(&url).await.is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended ({status}):\n{}", fs::read_to_string(&log)?);
            }
            ensure!(
                began.elapsed() < PATIENCE,
                "the server does not answer:\n{}",
                fs::read_to_string(&log)?
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.started_in = began.elapsed();
        Ok(server)
    }

    /// A figure in KiB from the kernel's description of the server's process, without PostgreSQL.
    pub fn memory_kib(&self, figure: &str) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status =
            fs::read_to_string(&path).context("the memory of a process is read from /proc (Linux)")?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
        let kib = line
            .and_then(|line| line.trim().strip_suffix("kB"))
            .context("no such figure")?;
        Ok(kib.trim().parse()?)
    }

    /// Begins anew with the peak of the server's memory (`VmHWM`).
    pub fn forget_peak(&self) -> Result<()> {
        // "5" is how proc(5) says it.
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?;
        Ok(())
    }

    /// The server's data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Seconds of processor time of the server so far, without PostgreSQL.
    pub fn processor(&self) -> Result<f64> {
        processor::seconds(self.child.id())
    }

    /// The same of PostgreSQL.
    pub fn postgres_processor(&self) -> Result<f64> {
        processor::seconds_of_family(self.postmaster(0)?.parse()?)
    }

    /// A line of what PostgreSQL says of itself; the documentation of `pg_ctl` describes the file.
    fn postmaster(&self, line: usize) -> Result<String> {
        let text = fs::read_to_string(self.data.join("postgres/data/postmaster.pid"))?;
        let line = text.lines().nth(line).context("PostgreSQL does not run")?;
        Ok(line.trim().to_owned())
    }

    /// The folder of PostgreSQL's socket.
    pub fn socket(&self) -> Result<PathBuf> {
        Ok(self.postmaster(4)?.into())
    }

    /// A connection to the server's database as its superuser.
    pub async fn database(&self) -> Result<tokio_postgres::Client> {
        let (client, connection) = tokio_postgres::Config::new()
            .host_path(self.socket()?)
            .user("postgres")
            .dbname(DATABASE)
            .connect(NoTls)
            .await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Asks the server to stop and waits for its end.
    pub fn stop(mut self) -> Result<()> {
        self.signal(Signal::SIGTERM);
        let status = self.child.wait()?;
        ensure!(status.success(), "the server did not end well: {status}");
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its PostgreSQL ends with it.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::SIGTERM);
            _ = self.child.wait();
        }
    }
}
