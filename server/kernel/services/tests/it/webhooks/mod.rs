//! Webhooks against a receiver on this machine, which checks signatures with the standard's own library.

mod faults;
mod managing;
mod telling;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use serde_json::{Value, json};
use tenon_sdk::config::Config;
use tenon_testkit::{TestOrg, TestServer};
use tokio_postgres::Client;

use crate::{chores::until, diary::quiet};

/// A message as it came.
#[derive(Clone, Debug)]
struct Got {
    headers: HeaderMap,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn is_signed_with(&self, secret: &str) -> bool {
        let webhook = standardwebhooks::Webhook::new(secret).unwrap();
        webhook.verify(self.body.as_bytes(), &self.headers).is_ok()
    }
}

/// What a receiver answers.
#[derive(Clone, Debug)]
enum Reply {
    With(u16, &'static str),
    /// With a status and a header.
    Header(u16, &'static str, String),
    /// With a status and more than anybody wants to read.
    Huge(u16),
    Never,
}

#[derive(Default)]
struct State {
    got: Vec<Got>,
    replies: VecDeque<Reply>,
    at_once: usize,
    most_at_once: usize,
}

/// A program that is told what happens. It answers as it was told, then 200 for ever.
#[derive(Clone)]
struct Receiver {
    url: String,
    state: Arc<Mutex<State>>,
}

/// Counts a call for as long as it is open.
struct Open(Arc<Mutex<State>>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.lock().unwrap().at_once -= 1;
    }
}

impl Receiver {
    async fn start(replies: &[Reply]) -> Self {
        let state = Arc::new(Mutex::new(State {
            replies: replies.iter().cloned().collect(),
            ..State::default()
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let shared = state.clone();
        let router = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
            let state = shared.clone();
            async move { answer(state, headers, &body).await }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn got(&self) -> Vec<Got> {
        self.state().got.clone()
    }
}

async fn answer(state: Arc<Mutex<State>>, headers: HeaderMap, body: &Bytes) -> axum::response::Response {
    let (reply, _open) = {
        let mut now = state.lock().unwrap();
        now.got.push(Got {
            headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        });
        now.at_once += 1;
        now.most_at_once = now.most_at_once.max(now.at_once);
        (
            now.replies.pop_front().unwrap_or(Reply::With(200, "thanks")),
            Open(state.clone()),
        )
    };
    let status = |status: u16| StatusCode::from_u16(status).unwrap();
    match reply {
        Reply::With(code, text) => (status(code), text).into_response(),
        Reply::Header(code, name, value) => (status(code), [(name, value)], "").into_response(),
        Reply::Huge(code) => (status(code), "much ".repeat(2_000_000)).into_response(),
        Reply::Never => std::future::pending().await,
    }
}

/// Calls may go to this machine.
fn near(config: &mut Config) {
    config.outbound.allow_private = vec!["127.0.0.0/8".parse().unwrap()];
    config.mail.mailbox = true;
}

async fn server() -> TestServer {
    TestServer::configured(vec![quiet()], near).await
}

/// An organisation whose plan has webhooks.
async fn organization(server: &TestServer, name: &str) -> TestOrg {
    let org = server.organization(name).await;
    let sql = "update tenancy.organizations set plan = 'business' where id = $1";
    server.admin().await.execute(sql, &[&org.id]).await.unwrap();
    org
}

/// Makes an endpoint; gives its id and secret.
async fn endpoint(org: &TestOrg, url: &str, events: &[&str]) -> (String, String) {
    let new = json!({ "url": url, "description": "a test's", "events": events });
    let (status, made) = org.owner.post_json("/api/v1/webhooks/endpoints", &new).await;
    assert_eq!(status, 201, "{made}");
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

/// Has all attempts that wait made now.
async fn all_due(admin: &Client) {
    let sql = "update jobs.queue set run_at = now() where state = 'waiting' and name = 'webhooks.deliver'; notify tenon_jobs, 'd'";
    admin.batch_execute(sql).await.unwrap();
}

/// Waits until so many attempts stand in the log.
async fn attempts(admin: &Client, count: usize) {
    until(
        admin,
        &format!("select count(*) >= {count} from webhooks.attempts"),
    )
    .await;
}
