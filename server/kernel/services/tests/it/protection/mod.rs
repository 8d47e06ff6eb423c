//! Limits, guessing, weak passwords.

mod guessing;
mod limits;
mod sweeping;
mod words;

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::config::Config;
use tenon_testkit::{PASSWORD, TestServer, answer};

const ADA: &str = "ada@example.com";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";

/// A server behind a proxy on this machine, so that a test may speak from any address.
async fn server(config: fn(&mut Config)) -> TestServer {
    TestServer::configured(vec![], config).await
}

fn behind_proxy(config: &mut Config) {
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    config.mail.mailbox = true;
}

fn request(server: &TestServer, from: &str, path: &str) -> reqwest::RequestBuilder {
    server
        .anonymous(Method::POST, &format!("/auth/v1/{path}"))
        .header("x-forwarded-for", from)
        .header("x-supabase-api-version", "2024-01-01")
}

async fn post(server: &TestServer, from: &str, path: &str, body: Value) -> (u16, Value) {
    answer(request(server, from, path).json(&body)).await
}

async fn sign_up(server: &TestServer) {
    let body = json!({ "email": ADA, "password": PASSWORD });
    assert_eq!(post(server, HOME, "signup", body).await.0, 200);
}

async fn sign_in(server: &TestServer, from: &str, password: &str) -> u16 {
    let body = json!({ "email": ADA, "password": password });
    post(server, from, "token?grant_type=password", body).await.0
}

async fn mailbox(server: &TestServer) -> Vec<Value> {
    let (_, all) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    all.as_array().unwrap().clone()
}
