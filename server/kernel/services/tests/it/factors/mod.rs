//! Second factors over HTTP, as `@supabase/auth-js` shows them.

mod admin;
mod enrolling;
mod guarding;
mod hooks;
mod organizations;
mod phone;
mod recovery_codes;
mod showing;

use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{PASSWORD, TestServer, answer};
use totp_rs::{Builder, Secret};

/// Somebody with a session, whose tokens change as factors are shown.
struct Somebody<'a> {
    server: &'a TestServer,
    email: String,
    token: String,
    refresh_token: String,
}

pub(crate) async fn send(
    server: &TestServer,
    method: Method,
    path: &str,
    token: &str,
    body: Value,
) -> (u16, Value) {
    let request = server
        .anonymous(method, &format!("/auth/v1/{path}"))
        .header("x-supabase-api-version", "2024-01-01");
    let request = if token.is_empty() {
        request
    } else {
        request.bearer_auth(token)
    };
    answer(request.json(&body)).await
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

pub(crate) fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["code"].as_str().unwrap_or_default())
}

fn claims(token: &str) -> Value {
    use base64::Engine;
    let part = token.split('.').nth(1).expect("claims");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(part)
        .expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn methods(token: &str) -> Vec<String> {
    let claims = claims(token);
    let all = claims["amr"].as_array().expect("a list");
    all.iter()
        .map(|claim| text(&claim["method"]).to_owned())
        .collect()
}

/// The code of an authenticator app at the server's time, so many half minutes away.
fn totp(server: &TestServer, secret: &str, steps: i64) -> String {
    let now = server.kernel().env().now().as_second() + 30 * steps;
    Builder::new()
        .with_secret(Secret::try_from_base32(secret).expect("Base32"))
        .build()
        .expect("a secret")
        .generate(u64::try_from(now).expect("a time after 1970"))
        .to_string()
}

impl<'a> Somebody<'a> {
    async fn new(server: &'a TestServer, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let body = json!({ "email": email, "password": PASSWORD });
        let (status, session) = send(server, Method::POST, "signup", "", body).await;
        assert_eq!(status, 200, "{session}");
        Self::of(server, email, &session)
    }

    fn of(server: &'a TestServer, email: String, session: &Value) -> Self {
        Self {
            server,
            email,
            token: text(&session["access_token"]).to_owned(),
            refresh_token: text(&session["refresh_token"]).to_owned(),
        }
    }

    /// The same person in another session.
    async fn elsewhere(&self) -> Self {
        let body = json!({ "email": self.email, "password": PASSWORD });
        let (status, session) = send(self.server, Method::POST, "token?grant_type=password", "", body).await;
        assert_eq!(status, 200, "{session}");
        Self::of(self.server, self.email.clone(), &session)
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        send(self.server, Method::POST, path, &self.token, body).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        send(self.server, Method::GET, path, &self.token, json!({})).await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        send(self.server, Method::DELETE, path, &self.token, json!({})).await
    }

    async fn enrol(&self, name: &str) -> (String, String) {
        let body = json!({ "factor_type": "totp", "friendly_name": name });
        let (status, made) = self.post("factors", body).await;
        assert_eq!(status, 200, "{made}");
        (
            text(&made["id"]).to_owned(),
            text(&made["totp"]["secret"]).to_owned(),
        )
    }

    async fn challenge(&self, factor: &str) -> String {
        let (status, made) = self.post(&format!("factors/{factor}/challenge"), json!({})).await;
        assert_eq!(status, 200, "{made}");
        text(&made["id"]).to_owned()
    }

    async fn verify(&self, factor: &str, challenge: &str, code: &str) -> (u16, Value) {
        let body = json!({ "challenge_id": challenge, "code": code });
        self.post(&format!("factors/{factor}/verify"), body).await
    }

    async fn show(&self, factor: &str, code: &str) -> (u16, Value) {
        let challenge = self.challenge(factor).await;
        self.verify(factor, &challenge, code).await
    }

    /// Goes on with the tokens of an answer.
    fn take(&mut self, (status, session): &(u16, Value)) {
        assert_eq!(*status, 200, "{session}");
        text(&session["access_token"]).clone_into(&mut self.token);
        text(&session["refresh_token"]).clone_into(&mut self.refresh_token);
    }

    /// Adds an authenticator app and shows its first code; gives the factor and its secret.
    async fn with_totp(&mut self) -> (String, String) {
        let (factor, secret) = self.enrol("App").await;
        let shown = self.show(&factor, &totp(self.server, &secret, 0)).await;
        self.take(&shown);
        (factor, secret)
    }

    async fn recovery_codes(&self) -> Vec<String> {
        let (status, made) = self.post("factors/recovery-codes", json!({})).await;
        assert_eq!(status, 200, "{made}");
        let all = made["codes"].as_array().expect("codes");
        all.iter().map(|code| text(code).to_owned()).collect()
    }
}
