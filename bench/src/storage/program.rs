//! A program of the operator's, which makes buckets and puts objects into them with the service key.

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

pub const KEY: &str = "sb_secret_of_the_benchmark_that_nobody_else_has_to_know";
/// The same as the server is told.
pub const SETTING: &str = "auth.secret_key=\"sb_secret_of_the_benchmark_that_nobody_else_has_to_know\"";

/// Sends something to the storage API and expects that it is done.
pub async fn send(
    address: &str,
    token: &str,
    method: Method,
    path: &str,
    body: impl Into<reqwest::Body>,
    kind: &str,
) -> Result<Value> {
    let answer = reqwest::Client::new()
        .request(method, format!("http://{address}/storage/v1{path}"))
        .bearer_auth(token)
        .header("content-type", kind)
        .body(body)
        .send()
        .await?;
    let (status, text) = (answer.status(), answer.text().await?);
    ensure!(
        status.is_success(),
        "{path}: the server answered {status}: {text}"
    );
    Ok(serde_json::from_str(&text)?)
}

/// Makes a bucket.
pub async fn bucket(address: &str, name: &str, public: bool) -> Result<()> {
    let about = json!({ "id": name, "name": name, "public": public }).to_string();
    send(address, KEY, Method::POST, "/bucket", about, "application/json").await?;
    Ok(())
}
