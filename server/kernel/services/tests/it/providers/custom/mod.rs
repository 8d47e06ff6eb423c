//! Providers that programs of the operator's set up while the installation runs.

mod setting_up;
mod signing_in;

use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{SERVICE_KEY, TestServer, answer};

use super::{Begun, Browser, merge};
use crate::provider::{SECRET, issuer};

const ALL: &str = "/auth/v1/admin/custom-providers";
const ONE: &str = "/auth/v1/admin/custom-providers/custom:acme";

async fn call(server: &TestServer, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = server
        .anonymous(method, path)
        .header("x-supabase-api-version", "2024-01-01")
        .bearer_auth(SERVICE_KEY);
    answer(request.json(&body)).await
}

/// What is said of a provider of OpenID Connect.
fn oidc(name: &'static str, more: Value) -> Value {
    let mut asked = json!({
        "provider_type": "oidc", "identifier": format!("custom:{name}"), "name": "Acme Works", "client_id": "tenon",
        "client_secret": SECRET, "issuer": issuer(name), "scopes": ["email"],
    });
    merge(&mut asked, more);
    asked
}

/// What is said of a provider with an interface of its own.
fn oauth2(name: &'static str, more: Value) -> Value {
    let base = issuer(name);
    let mut asked = json!({
        "provider_type": "oauth2", "identifier": format!("custom:{name}"), "name": "Yard", "client_id": "tenon",
        "client_secret": SECRET, "authorization_url": format!("{base}/auth"), "token_url": format!("{base}/token"),
        "userinfo_url": format!("{base}/me"),
    });
    merge(&mut asked, more);
    asked
}

async fn create(server: &TestServer, asked: Value) -> Value {
    let (status, made) = call(server, Method::POST, ALL, asked).await;
    assert_eq!(status, 201, "{made}");
    made
}

async fn change(server: &TestServer, wish: Value) -> Value {
    let (status, changed) = call(server, Method::PUT, ONE, wish).await;
    assert_eq!(status, 200, "{changed}");
    changed
}

/// Begins with `custom:NAME`, whose issuer is NAME.
async fn begin_custom(server: &TestServer, browser: &mut Browser, name: &'static str, more: &str) -> Begun {
    let url = server.url(&format!("/auth/v1/authorize?provider=custom:{name}{more}"));
    let page = browser.led(&url).await;
    assert!(page.as_str().starts_with(&issuer(name)), "{page}");
    Begun { issuer: name, page }
}
