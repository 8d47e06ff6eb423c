//! Tenon as provider: programs sign people in, and every way in which that could go wrong.

mod authorization;
mod clients;
mod reach;
mod tokens;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};
use tenon_sdk::config::Config;
use tenon_testkit::{TestServer, TestServerOptions, TestUser, answer};

const CALLBACK: &str = "https://app.example.com/callback";
/// Verifier and challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn server_with(config: fn(&mut Config)) -> TestServer {
    let options = TestServerOptions {
        config: Some(config),
        no_workers: true,
        ..TestServerOptions::default()
    };
    TestServer::start_with(vec![], options).await
}

async fn server() -> TestServer {
    server_with(|config| config.auth.issuer.registration = true).await
}

/// A program and its browser.
struct App {
    id: String,
    secret: Option<String>,
    server: String,
    http: reqwest::Client,
}

async fn register(server: &TestServer, metadata: Value) -> (u16, Value) {
    answer(
        server
            .anonymous(Method::POST, "/auth/v1/oauth/clients/register")
            .json(&metadata),
    )
    .await
}

async fn app_with(server: &TestServer, metadata: Value) -> App {
    let (status, made) = register(server, metadata).await;
    assert_eq!(status, 201, "{made}");
    App {
        id: made["client_id"].as_str().expect("an id").to_owned(),
        secret: made["client_secret"].as_str().map(str::to_owned),
        server: server.url(""),
        http: reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client"),
    }
}

async fn app(server: &TestServer) -> App {
    app_with(
        server,
        json!({ "client_name": "Harbour", "redirect_uris": [CALLBACK] }),
    )
    .await
}

async fn public_app(server: &TestServer, redirect: &str) -> App {
    let metadata = json!({
        "client_name": "Editor",
        "redirect_uris": [redirect],
        "token_endpoint_auth_method": "none",
    });
    app_with(server, metadata).await
}

fn location(response: &Response) -> url::Url {
    let text = response.headers()[header::LOCATION].to_str().expect("text");
    url::Url::parse(text).expect("a URL")
}

fn value(url: &url::Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

impl App {
    /// A good request, with changes; a change to nothing leaves the parameter out.
    async fn authorize(&self, changes: &[(&str, &str)]) -> Response {
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", CALLBACK),
            ("scope", "openid email profile"),
            ("state", "a state & more"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        parameters.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        parameters.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        self.http
            .get(format!("{}/auth/v1/oauth/authorize", self.server))
            .query(&parameters)
            .send()
            .await
            .expect("an answer")
    }

    /// The id of a good request.
    async fn ask(&self, changes: &[(&str, &str)]) -> String {
        let response = self.authorize(changes).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let page = location(&response);
        assert_eq!(page.path(), "/oauth/consent", "{page}");
        value(&page, "authorization_id").unwrap_or_else(|| panic!("no request: {page}"))
    }

    /// The code that a person's yes gives.
    async fn code(&self, person: &TestUser, changes: &[(&str, &str)]) -> String {
        let id = self.ask(changes).await;
        let (status, body) = details(person, &id).await;
        assert_eq!(status, 200, "{body}");
        if body["redirect_url"].is_null() {
            let url = approve(person, &id).await;
            return value(&url, "code").expect("a code");
        }
        let url = url::Url::parse(body["redirect_url"].as_str().expect("text")).expect("a URL");
        value(&url, "code").expect("a code")
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let request = self.http.post(format!("{}/auth/v1/oauth/{path}", self.server));
        let request = if let Some(secret) = &self.secret {
            request.basic_auth(&self.id, Some(secret)).form(form)
        } else {
            let mut form = form.to_vec();
            form.push(("client_id", &self.id));
            request.form(&form)
        };
        answer(request).await
    }

    async fn exchange(&self, code: &str, verifier: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", verifier),
            ("redirect_uri", CALLBACK),
        ];
        self.post("token", &form).await
    }

    async fn refresh(&self, tokens: &Value) -> (u16, Value) {
        let token = tokens["refresh_token"].as_str().expect("a refresh token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post("token", &form).await
    }

    async fn tokens(&self, person: &TestUser, scope: &str) -> Value {
        let code = self.code(person, &[("scope", scope)]).await;
        let (status, tokens) = self.exchange(&code, VERIFIER).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    /// A request with the program's access token.
    async fn call(&self, method: Method, path: &str, tokens: &Value, body: Option<Value>) -> (u16, Value) {
        let token = tokens["access_token"].as_str().expect("a token");
        let request = self
            .http
            .request(method, format!("{}{path}", self.server))
            .bearer_auth(token);
        answer(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }
}

async fn details(person: &TestUser, id: &str) -> (u16, Value) {
    person
        .get_json(&format!("/auth/v1/oauth/authorizations/{id}"))
        .await
}

async fn decide(person: &TestUser, id: &str, action: &str) -> (u16, Value) {
    let path = format!("/auth/v1/oauth/authorizations/{id}/consent");
    person.post_json(&path, &json!({ "action": action })).await
}

async fn approve(person: &TestUser, id: &str) -> url::Url {
    let (status, body) = decide(person, id, "approve").await;
    assert_eq!(status, 200, "{body}");
    url::Url::parse(body["redirect_url"].as_str().expect("text")).expect("a URL")
}

fn claims(token: &Value) -> Value {
    let payload = token
        .as_str()
        .expect("a token")
        .split('.')
        .nth(1)
        .expect("claims");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}
