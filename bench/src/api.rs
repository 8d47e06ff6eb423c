//! A person who uses the server over HTTP.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::StreamExt as _;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

/// What programs on the web show.
pub const PUBLISHABLE_KEY: &str = "sb_publishable_tenon";

/// Somebody signed in.
#[derive(Debug)]
pub struct Person {
    http: reqwest::Client,
    base: String,
    /// The access token.
    pub token: String,
    /// The person's id.
    pub id: String,
}

/// How long the parts of an import took.
#[derive(Debug, Clone, Copy)]
pub struct ImportTimes {
    /// Until the upload was answered.
    pub upload: Duration,
    /// From there until the file was read, checked and staged.
    pub check: Duration,
    /// From the confirmation until all was committed and evaluated.
    pub commit: Duration,
    /// All of it.
    pub total: Duration,
}

async fn answer(request: RequestBuilder) -> Result<Value> {
    let response = request.send().await?;
    let status = response.status();
    let text = response.text().await?;
    ensure!(status.is_success(), "the server answered {status}: {text}");
    serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))
}

fn text(value: &Value) -> Result<String> {
    value
        .as_str()
        .map(str::to_owned)
        .context("an expected text is missing")
}

impl Person {
    /// Signs up.
    pub async fn sign_up(address: &str) -> Result<Self> {
        let http = reqwest::Client::new();
        let base = format!("http://{address}");
        let body = json!({ "email": "bench@example.com", "password": "a long enough one", "data": { "name": "Bench" } });
        let session = answer(
            http.post(format!("{base}/auth/v1/signup"))
                .header("apikey", PUBLISHABLE_KEY)
                .json(&body),
        )
        .await?;
        let token = text(&session["access_token"])?;
        let id = text(&session["user"]["id"])?;
        Ok(Self {
            http,
            base,
            token,
            id,
        })
    }

    /// The claims in the token.
    pub fn claims(&self) -> Result<String> {
        let payload = self.token.split('.').nth(1).context("the token is no JWT")?;
        Ok(String::from_utf8(URL_SAFE_NO_PAD.decode(payload)?)?)
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("apikey", PUBLISHABLE_KEY).bearer_auth(&self.token)
    }

    /// Makes an organisation and gives its id.
    pub async fn create_organization(&self, name: &str) -> Result<String> {
        let request = self
            .http
            .post(format!("{}/api/v1/tenancy/organizations", self.base));
        let made = answer(self.signed(request).json(&json!({ "name": name }))).await?;
        text(&made["id"])
    }

    /// Imports a workbook of the purchasing register and says how long it took and what came of it.
    pub async fn import(&self, org: &str, name: &str, file: Vec<u8>) -> Result<(ImportTimes, Value)> {
        let imports = format!("{}/api/v1/imports", self.base);
        let began = Instant::now();
        let upload = self
            .http
            .post(format!("{imports}?template=purchasing.register&filename={name}"))
            .header("x-org-id", org)
            .header("content-type", "application/octet-stream")
            .body(file);
        let made = answer(self.signed(upload)).await?;
        let uploaded = began.elapsed();

        let id = text(&made["id"])?;
        let checked = self.wait(org, &id, "validated").await?;
        let validated = began.elapsed();
        let refused = checked["counts"]["refused"].as_u64();
        ensure!(refused == Some(0), "rows were refused: {}", checked["counts"]);

        let confirmation = json!({ "validation_version": checked["validation_version"] });
        let confirm = self
            .http
            .post(format!("{imports}/{id}/confirm"))
            .header("x-org-id", org)
            .json(&confirmation);
        answer(self.signed(confirm)).await?;
        let done = self.wait(org, &id, "committed").await?;
        let total = began.elapsed();
        let times = ImportTimes {
            upload: uploaded,
            check: validated.saturating_sub(uploaded),
            commit: total.saturating_sub(validated),
            total,
        };
        Ok((times, done))
    }

    /// Listens until an import has reached a state, as the web app does.
    async fn wait(&self, org: &str, id: &str, state: &str) -> Result<Value> {
        let url = format!("{}/realtime/v1/sse?topics=imports:{id}", self.base);
        let response = self
            .signed(self.http.get(url))
            .header("x-org-id", org)
            .send()
            .await?;
        ensure!(
            response.status().is_success(),
            "no live events: {}",
            response.status()
        );
        let mut events = response.bytes_stream();
        let mut pending = Vec::new();
        while let Some(piece) = events.next().await {
            pending.extend_from_slice(&piece?);
            let Some(end) = pending.windows(2).rposition(|two| two == b"\n\n") else {
                continue;
            };
            let told = String::from_utf8_lossy(&pending[..end]).into_owned();
            pending.drain(..end + 2);
            if !told
                .lines()
                .any(|line| matches!(line, "event: ready" | "event: state" | "event: reload"))
            {
                continue;
            }
            let request = self
                .http
                .get(format!("{}/api/v1/imports/{id}", self.base))
                .header("x-org-id", org);
            let import = answer(self.signed(request)).await?;
            if import["state"] == state {
                return Ok(import);
            }
            if matches!(import["state"].as_str(), Some("failed" | "cancelled" | "parsed")) {
                bail!("the import stopped: {import}");
            }
        }
        bail!("the live events ended")
    }
}
