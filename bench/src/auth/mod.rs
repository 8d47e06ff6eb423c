//! `auth`: what identity costs. Token refresh against pgbench with the same statements; what a remembered token adds to a
//! request, and a new one; the data API's slowest answers while people sign in by password.

mod refresh;
mod sign_in;
mod token;

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::api::PUBLISHABLE_KEY;
use crate::server::{self, Server};

/// Signs the tokens that the benchmark makes itself.
const SECRET: &str = "a secret of the benchmark that nobody else has to know";

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Rounds of each part.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of each round.
    #[arg(long, default_value_t = 4)]
    seconds: u32,
    /// Only this part: refresh, token or sign-in.
    #[arg(long)]
    only: Option<String>,
}

impl Options {
    fn wants(&self, part: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == part)
    }
}

pub async fn run(options: &Options) -> Result<()> {
    let binary = server::build()?;
    let folder = server::folder()?;
    // All requests come from one address.
    let limits = ["email", "anonymous", "token", "otp", "verify"];
    let settings: Vec<String> = limits
        .iter()
        .map(|limit| format!("auth.limits.{limit}=0"))
        .chain(["auth.anonymous_users=true".to_owned()])
        .chain([format!("auth.jwt_secret=\"{SECRET}\"")])
        .flat_map(|setting| ["--set".to_owned(), setting])
        .collect();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let server = Server::start(&binary, &folder.path().join("data"), &settings).await?;
    let bench = Bench {
        server: &server,
        folder: folder.path(),
        options,
    };
    if options.wants("refresh") {
        refresh::run(&bench).await?;
    }
    if options.wants("token") {
        token::run(&bench).await?;
    }
    if options.wants("sign-in") {
        sign_in::run(&bench).await?;
    }
    println!(
        "  memory of the server: {} MiB at its peak",
        server.memory_kib("VmHWM")? >> 10
    );
    server.stop()
}

struct Bench<'a> {
    server: &'a Server,
    folder: &'a Path,
    options: &'a Options,
}

impl Bench<'_> {
    /// The answer to a request of `/auth/v1`.
    async fn ask(&self, http: &reqwest::Client, path: &str, body: &Value) -> Result<Value> {
        let url = format!("http://{}/auth/v1{path}", self.server.address);
        let request = http.post(url).header("apikey", PUBLISHABLE_KEY).json(body);
        let response = request.send().await?.error_for_status()?;
        Ok(response.json().await?)
    }

    /// Sessions of as many visitors.
    async fn visitors(&self, count: usize) -> Result<Vec<Value>> {
        let http = reqwest::Client::new();
        let mut sessions = Vec::with_capacity(count);
        for _ in 0..count {
            sessions.push(self.ask(&http, "/signup", &json!({})).await?);
        }
        Ok(sessions)
    }
}

fn text(session: &Value, name: &str) -> Result<String> {
    let text = session[name].as_str().map(str::to_owned);
    text.with_context(|| format!("the answer has no {name}"))
}

/// A request with a body.
fn post(address: &str, path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\napikey: {PUBLISHABLE_KEY}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
