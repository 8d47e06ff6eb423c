//! The end-to-end tests: a real server on an empty data directory, and a real browser.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::command::{npm, program, run, scratch, target};
use crate::postgres::Installation;
use crate::results::{self, counted};
use crate::steps::Counts;
use crate::{tools, web};

/// How long a server without optimisation may take to make its database and answer.
const START: Duration = Duration::from_mins(2);
const STOP: Duration = Duration::from_secs(30);

/// Starts the server that was built before, runs `npm run e2e` against it, and stops it.
pub fn test(postgres: &Installation) -> (Counts, Result<()>) {
    match prepare(postgres) {
        Ok(server) => server.test(),
        Err(error) => (Counts::default(), Err(error)),
    }
}

struct Server {
    process: Child,
    url: String,
    provider_port: u16,
    chromium: PathBuf,
    log: PathBuf,
    data_dir: PathBuf,
}

/// Limits that would stop tests.
const LIMITS: [&str; 10] = [
    "email",
    "sms",
    "anonymous",
    "verify",
    "token",
    "sso",
    "otp",
    "passkey",
    "client",
    "mfa",
];

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Settings of the provider of sign-in that `web/e2e/support/provider.ts` starts.
fn provider(port: u16) -> Vec<String> {
    let settings = [
        format!("auth.external.acme.issuer=http://127.0.0.1:{port}"),
        "auth.external.acme.client_id=tenon".to_owned(),
        "auth.external.acme.secret=\"a secret of these tests, with: signs & all\"".to_owned(),
        "auth.external.acme.label=Acme".to_owned(),
        "outbound.allow_private=[\"127.0.0.0/8\"]".to_owned(),
    ];
    settings
        .into_iter()
        .flat_map(|setting| ["--set".to_owned(), setting])
        .collect()
}

fn prepare(postgres: &Installation) -> Result<Server> {
    let chromium = tools::chromium()?;
    // Not below the checkout, which may be closed to PostgreSQL's account.
    let data_dir = std::env::temp_dir().join(format!("tenon-e2e-{}", std::process::id()));
    let log = scratch()?.join("e2e-server.log");
    let output = File::create(&log).with_context(|| format!("create {}", log.display()))?;
    let port = free_port()?;
    // Where a test will start a provider of sign-in.
    let provider_port = free_port()?;
    let process = program(target().join("debug/tenon"))
        .args(["serve", "--port", &port.to_string(), "--data-dir"])
        .arg(&data_dir)
        .args(["--set", "mail.mailbox=true", "--set", "auth.anonymous_users=true"])
        .args([
            "--set",
            "auth.sms.enabled=true",
            "--set",
            "auth.sms.pause_seconds=0",
        ])
        .args(["--set", "auth.sms.test_otp.4152127777=\"123456\""])
        .args(["--set", "auth.mfa.phone.enroll_enabled=true"])
        .args(["--set", "auth.mfa.phone.verify_enabled=true"])
        .args(["--set", "auth.mfa.phone.pause_seconds=3"])
        .args(["--set", "auth.issuer.registration=true"])
        .args(["--set", "auth.secret_key=sb_secret_of_tests_and_of_nothing_else"])
        .args(provider(provider_port))
        // All tests come from one address.
        .args(
            LIMITS
                .iter()
                .flat_map(|limit| ["--set".to_owned(), format!("auth.limits.{limit}=0")]),
        )
        .env("TENON_PG_BIN", &postgres.bin_dir)
        .env("NO_COLOR", "1")
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .context("the server could not be started")?;
    let mut server = Server {
        process,
        url: format!("http://127.0.0.1:{port}"),
        provider_port,
        chromium,
        log,
        data_dir,
    };
    server.wait_until_ready(port)?;
    Ok(server)
}

impl Server {
    fn wait_until_ready(&mut self, port: u16) -> Result<()> {
        let started = Instant::now();
        while !ready(port) {
            if let Some(status) = self.process.try_wait()? {
                bail!(
                    "the server ended ({status}) before it was ready:\n{}",
                    self.log_tail()
                );
            }
            if started.elapsed() > START {
                bail!("the server was not ready after {START:?}:\n{}", self.log_tail());
            }
            sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn test(mut self) -> (Counts, Result<()>) {
        let report = match scratch() {
            Ok(folder) => folder.join("e2e.json"),
            Err(error) => return (Counts::default(), Err(error)),
        };
        _ = fs::remove_file(&report);
        let mut tests = npm(&web::folder());
        tests
            .args(["run", "--silent", "e2e", "--"])
            .args(web::reporters(&report));
        let outcome = run(tests
            .env("TENON_URL", &self.url)
            .env("TENON_PROVIDER_PORT", self.provider_port.to_string())
            .env("TENON_BINARY", target().join("debug/tenon"))
            .env("TENON_DATA", &self.data_dir)
            .env("TENON_CHROMIUM", &self.chromium));
        let (counts, mut result) = counted(outcome, results::take(&report, results::vitest));
        if result.is_err() {
            eprintln!(
                "   the server's last lines ({}):\n{}",
                self.log.display(),
                self.log_tail()
            );
        }
        result = result.and(self.stop());
        (counts, result)
    }

    /// Asks the server to end, which it must do by itself and without an error.
    fn stop(&mut self) -> Result<()> {
        kill(Pid::from_raw(self.process.id().try_into()?), Signal::SIGTERM)?;
        let started = Instant::now();
        while started.elapsed() < STOP {
            if let Some(status) = self.process.try_wait()? {
                if !status.success() {
                    bail!("the server ended with {status}:\n{}", self.log_tail());
                }
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        bail!("the server did not stop within {STOP:?}:\n{}", self.log_tail())
    }

    fn log_tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
        _ = fs::remove_dir_all(&self.data_dir);
    }
}

/// Whether `GET /readyz` answers 200.
fn ready(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
