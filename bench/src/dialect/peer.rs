//! `peer`: `tenon rest` and postrust-server, a server of the same kind from crates.io, on one plain database, asked the
//! same. Both read the same environment.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::NoTls;

use crate::load;
use crate::processor;
use crate::report::{Rounds, verdict, warn_if_unsteady};
use crate::server::{self, Server};

const RATE: f64 = 3.0;
const WORK: f64 = 1.0 / 3.0;
const ORGANIZATIONS: u32 = 200;
const CONNECTIONS: usize = 16;
const SECRET: &str = "a secret of the benchmark that is long enough";
const PATIENCE: Duration = Duration::from_secs(30);
const REQUESTS: [(&str, &str); 3] = [
    ("point", "/items?id=eq.77&select=id,number,value"),
    (
        "list",
        "/items?select=id,number,value,created_at&order=created_at.desc&limit=50",
    ),
    (
        "embed",
        "/items?select=id,number,value,customers(name)&order=created_at.desc&limit=50",
    ),
];

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The program `postrust`: `cargo install postrust-server --root FOLDER` puts it into FOLDER/bin.
    #[arg(long)]
    postrust: PathBuf,
    /// Rounds, of the two in turn.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Seconds of each.
    #[arg(long, default_value_t = 4)]
    seconds: u32,
}

pub async fn run(options: &Options) -> Result<()> {
    let binary = server::build()?;
    let folder = server::folder()?;
    // Its private PostgreSQL serves both.
    let host = Server::start(&binary, &folder.path().join("data"), &[]).await?;
    host.database()
        .await?
        .batch_execute("create database plain")
        .await?;
    fill(&host).await?;
    // The peer knows sockets in the place of the host only.
    let socket = host.socket()?.display().to_string().replace('/', "%2F");
    let uri = format!("postgres://bench_login@{socket}/plain");
    println!("peer: `tenon rest` and postrust-server on the same database, {CONNECTIONS} HTTP connections");
    let ours = Peer::start(
        Command::new(&binary).arg("rest"),
        "",
        &uri,
        &folder.path().join("tenon.log"),
    )
    .await?;
    let theirs = Peer::start(
        &mut Command::new(&options.postrust),
        "/api",
        &uri,
        &folder.path().join("postrust.log"),
    )
    .await?;
    for (name, path) in REQUESTS {
        let (our_requests, their_requests) = (ours.requests(path)?, theirs.requests(path)?);
        let (mut rates, mut work) = (Rounds::new(), Rounds::new());
        let (mut our_work, mut our_rate) = (Rounds::new(), Rounds::new());
        ensure!(
            ours.body(&our_requests[0]).await? == theirs.body(&their_requests[0]).await?,
            "the two answer differently"
        );
        for _ in 0..options.rounds {
            let (rate, own) = ours.load(&our_requests, options.seconds).await?;
            let (other_rate, other) = theirs.load(&their_requests, options.seconds).await?;
            rates.add(rate / other_rate);
            work.add(own / other);
            our_rate.add(rate);
            our_work.add(own);
        }
        println!(
            "  {name}: {}, {} of the server's processor a request",
            our_rate.text(0, "/s"),
            our_work.text(0, " µs")
        );
        verdict(
            "rate against the peer's",
            &rates.text(2, ""),
            "at least 3",
            rates.median() >= RATE,
        );
        verdict(
            "processor time against the peer's",
            &work.text(2, ""),
            "at most 0.33",
            work.median() <= WORK,
        );
        warn_if_unsteady(name, &rates);
    }
    drop((ours, theirs));
    host.stop()
}

async fn fill(host: &Server) -> Result<()> {
    let (client, connection) = tokio_postgres::Config::new()
        .host_path(host.socket()?)
        .user("postgres")
        .dbname("plain")
        .connect(NoTls)
        .await?;
    tokio::spawn(connection);
    client.batch_execute(include_str!("plain.sql")).await?;
    client.batch_execute("vacuum analyze").await?;
    Ok(())
}

fn request(path: &str, org: u32) -> Result<Vec<u8>> {
    Ok(format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nAuthorization: Bearer {}\r\n\r\n",
        token(org)?
    )
    .into_bytes())
}

fn token(org: u32) -> Result<String> {
    let claims = json!({ "role": "bench_user", "org": org, "exp": 4_000_000_000_u64 });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    Ok(encode(&Header::default(), &claims, &key)?)
}

/// One of the two.
struct Peer {
    child: Child,
    address: String,
    /// Where its tables begin.
    base: &'static str,
}

impl Peer {
    async fn start(command: &mut Command, base: &'static str, uri: &str, log: &Path) -> Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?.port();
        let file = File::create(log)?;
        let child = command
            .env("PGRST_DB_URI", uri)
            .env("PGRST_DB_SCHEMAS", "public")
            .env("PGRST_DB_ANON_ROLE", "bench_user")
            .env("PGRST_JWT_SECRET", SECRET)
            .env("PGRST_SERVER_HOST", "127.0.0.1")
            .env("PGRST_SERVER_PORT", port.to_string())
            .env("PGRST_LOG_LEVEL", "crit")
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .with_context(|| format!("start {command:?}"))?;
        let peer = Self {
            child,
            address: format!("127.0.0.1:{port}"),
            base,
        };
        let began = Instant::now();
        let first = peer.requests(REQUESTS[0].1)?;
        while peer.body(&first[0]).await.is_err() {
            ensure!(
                began.elapsed() < PATIENCE,
                "no answer:\n{}",
                std::fs::read_to_string(log)?
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(peer)
    }

    /// What each organisation asks.
    fn requests(&self, path: &str) -> Result<Arc<[Vec<u8>]>> {
        let path = format!("{}{path}", self.base);
        (1..=ORGANIZATIONS).map(|org| request(&path, org)).collect()
    }

    async fn body(&self, request: &[u8]) -> Result<serde_json::Value> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let mut buffer = Vec::new();
        let length = load::exchange(&mut stream, request, &mut buffer).await?;
        Ok(serde_json::from_slice(&buffer[buffer.len() - length..])?)
    }

    /// Answers a second, and microseconds of the server's processor time for each.
    async fn load(&self, requests: &Arc<[Vec<u8>]>, seconds: u32) -> Result<(f64, f64)> {
        let length = Duration::from_secs(seconds.into());
        let before = processor::seconds(self.child.id())?;
        let load = load::run(&self.address, Arc::clone(requests), CONNECTIONS, length).await?;
        let spent = processor::seconds(self.child.id())? - before;
        Ok((load.rate, spent * 1e6 / (load.rate * f64::from(seconds))))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
