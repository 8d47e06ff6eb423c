//! Sign-in with outside providers, against one on this machine.

mod accounts;
mod answers;
mod custom;
mod documents;
mod id_tokens;
mod linking;
mod sign_in;

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tenon_sdk::{config::Config, env::Env};
use tenon_testkit::{PASSWORD, TestServer, answer};
use url::Url;

use crate::provider::{self, Grant, SECRET, Signed, code_for, issuer};

const ADA: &str = "ada@example.com";
/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn providers(config: &mut Config) {
    config.mail.mailbox = true;
    config.auth.anonymous_users = true;
    config.outbound.allow_private = vec!["127.0.0.0/8".parse().unwrap()];
    let mut add = |name: &str, mut settings: Value| {
        settings["client_id"] = json!("tenon, tenon-ios");
        settings["secret"] = json!(SECRET);
        let settings = serde_json::from_value(settings).expect("settings");
        config.auth.external.insert(name.to_owned(), settings);
    };
    for name in ["acme", "careful", "google", "azure"] {
        add(
            name,
            json!({ "issuer": issuer(name), "label": if name == "acme" { "Acme" } else { "" } }),
        );
    }
    add(
        "ours",
        json!({ "issuer": issuer("ours"), "trust_email": true, "skip_nonce_check": true }),
    );
    add(
        "nameless",
        json!({ "issuer": issuer("nameless"), "email_optional": true }),
    );
    add("off", json!({ "issuer": issuer("off"), "enabled": false }));
    add("gone", json!({ "issuer": "http://127.0.0.1:9/none" }));
    add("inside", json!({ "issuer": "http://10.255.0.1/none" }));
    add(
        "lying",
        json!({ "issuer": format!("{}/acme/", provider::base()).replace("/acme/", "/./acme") }),
    );
    for name in ["github", "x"] {
        let base = issuer(name);
        add(
            name,
            json!({
                "authorize_url": format!("{base}/auth"), "token_url": format!("{base}/token"),
                "profile_url": format!("{base}/me"), "emails_url": if name == "github" { format!("{base}/emails") } else { String::new() },
            }),
        );
    }
}

async fn start(config: fn(&mut Config)) -> TestServer {
    TestServer::configured(vec![], config).await
}

async fn server() -> TestServer {
    start(providers).await
}

/// A browser: it keeps cookies and shows where it is led.
struct Browser {
    http: reqwest::Client,
    cookie: Option<String>,
}

impl Browser {
    fn new() -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            http: http.build().unwrap(),
            cookie: None,
        }
    }

    async fn send(&mut self, mut request: reqwest::RequestBuilder) -> reqwest::Response {
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("other=1; {cookie}"));
        }
        let response = request.send().await.unwrap();
        if let Some(cookie) = response.headers().get(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        response
    }

    async fn get(&mut self, url: &str) -> reqwest::Response {
        let request = self.http.get(url);
        self.send(request).await
    }

    /// Where an address redirects to.
    async fn led(&mut self, url: &str) -> Url {
        let response = self.get(url).await;
        assert_eq!(response.status(), StatusCode::FOUND, "{url}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Url::parse(response.headers()["location"].to_str().unwrap()).unwrap()
    }
}

fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn fragment(url: &Url, name: &str) -> Option<String> {
    url::form_urlencoded::parse(url.fragment().unwrap_or_default().as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// A sign-in that has been sent to the provider.
struct Begun {
    issuer: &'static str,
    page: Url,
}

impl Begun {
    fn state(&self) -> String {
        query(&self.page, "state").expect("a state")
    }

    /// Claims as a good provider makes them.
    fn claims(&self, sub: &str, email: Option<&str>) -> Value {
        let now = Env::real().now().as_second();
        json!({
            "iss": issuer(self.issuer), "aud": "tenon", "sub": sub, "iat": now, "exp": now + 300,
            "nonce": query(&self.page, "nonce"), "email": email, "email_verified": true, "name": "Ada Lovelace",
        })
    }

    fn grant(&self, claims: Value) -> Grant {
        Grant {
            issuer: self.issuer,
            challenge: query(&self.page, "code_challenge"),
            redirect_uri: query(&self.page, "redirect_uri").expect("a redirect_uri"),
            claims,
            told: Value::Null,
            signed: Signed::Well,
        }
    }

    /// The address that the provider leads back to.
    fn back(&self, code: &str) -> String {
        let mut url = Url::parse(&query(&self.page, "redirect_uri").unwrap()).unwrap();
        url.query_pairs_mut()
            .append_pair("code", code)
            .append_pair("state", &self.state());
        if self.issuer == "careful" {
            url.query_pairs_mut().append_pair("iss", &issuer(self.issuer));
        }
        url.into()
    }
}

async fn begin(server: &TestServer, browser: &mut Browser, name: &'static str, more: &str) -> Begun {
    let url = server.url(&format!("/auth/v1/authorize?provider={name}{more}"));
    let page = browser.led(&url).await;
    assert!(page.as_str().starts_with(&issuer(name)), "{page}");
    Begun { issuer: name, page }
}

/// Signs in with what the provider says; gives where the browser ends.
async fn come(
    server: &TestServer,
    name: &'static str,
    more: &str,
    change: impl FnOnce(&Begun, &mut Grant),
) -> Url {
    let mut browser = Browser::new();
    let begun = begin(server, &mut browser, name, more).await;
    let mut grant = begun.grant(begun.claims("7", Some(ADA)));
    change(&begun, &mut grant);
    browser.led(&begun.back(&code_for(grant))).await
}

async fn sign_in_as(server: &TestServer, name: &'static str, sub: &str, email: Option<&str>) -> Url {
    come(server, name, "", |begun, grant| {
        grant.claims = begun.claims(sub, email);
    })
    .await
}

async fn me(server: &TestServer, token: &str) -> Value {
    let (status, user) = answer(server.anonymous(Method::GET, "/auth/v1/user").bearer_auth(token)).await;
    assert_eq!(status, 200, "{user}");
    user
}

/// The person of a session that stands behind the `#`.
async fn person(server: &TestServer, url: &Url) -> Value {
    let token = fragment(url, "access_token").unwrap_or_else(|| panic!("no session in {url}"));
    me(server, &token).await
}

async fn post(server: &TestServer, path: &str, token: Option<&str>, body: Value) -> (u16, Value) {
    let mut request = server
        .anonymous(Method::POST, &format!("/auth/v1/{path}"))
        .header("x-supabase-api-version", "2024-01-01");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    answer(request.json(&body)).await
}

async fn sign_up(server: &TestServer, email: &str) -> Value {
    let (status, session) = post(
        server,
        "signup",
        None,
        json!({ "email": email, "password": PASSWORD }),
    )
    .await;
    assert_eq!(status, 200, "{session}");
    session
}

async fn people(server: &TestServer) -> i64 {
    let admin = server.admin().await;
    let row = admin
        .query_one("select count(*) from auth.users", &[])
        .await
        .unwrap();
    row.get(0)
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

fn providers_of(user: &Value) -> Vec<&str> {
    let identities = user["identities"].as_array().expect("a list");
    let names: Vec<&str> = identities
        .iter()
        .filter_map(|one| one["provider"].as_str())
        .collect();
    assert_eq!(user["app_metadata"]["providers"], json!(names), "{user}");
    names
}

/// Begins to link a provider and gives where its page is.
async fn link(server: &TestServer, browser: &mut Browser, token: &str, name: &'static str) -> Begun {
    let url = server.url(&format!(
        "/auth/v1/user/identities/authorize?provider={name}&skip_http_redirect=true"
    ));
    let request = browser.http.get(url).bearer_auth(token);
    let response = browser.send(request).await;
    assert_eq!(response.status(), 200);
    let body: Value = response.json().await.unwrap();
    let page = Url::parse(body["url"].as_str().unwrap()).unwrap();
    Begun { issuer: name, page }
}

async fn delete(server: &TestServer, token: &str, id: &Value) -> (u16, Value) {
    let path = format!("/auth/v1/user/identities/{}", id.as_str().unwrap());
    let request = server.anonymous(Method::DELETE, &path).bearer_auth(token);
    answer(request.header("x-supabase-api-version", "2024-01-01")).await
}
