//! Services outside that Tenon calls, as stand-ins on this machine: what exactly they are asked, what comes of their answers, and
//! that no secret of theirs stands in the log.

mod breached;
mod mails;
mod texts;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, OnceLock},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::IntoResponse,
};
use tenon_sdk::config::Config;
use tenon_testkit::TestServer;

/// Where the stand-in listens.
static URL: OnceLock<String> = OnceLock::new();
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// One request as it came.
#[derive(Clone, Debug)]
struct Asked {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: String,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    fn form(&self) -> BTreeMap<String, String> {
        assert_eq!(self.header("content-type"), "application/x-www-form-urlencoded");
        url::form_urlencoded::parse(self.body.as_bytes())
            .into_owned()
            .collect()
    }
}

/// What a stand-in answers.
#[derive(Clone, Debug)]
enum Reply {
    /// With a status and a body.
    With(u16, String),
    /// With a header, too.
    Headed(u16, &'static str, &'static str, String),
    /// Never.
    Never,
    /// By breaking the connection off, when the request has come whole.
    Broken,
}

/// A service of somebody else's: remembers what it is asked, and answers as it is told, the last answer for ever.
struct StandIn {
    asked: Arc<Mutex<Vec<Asked>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
}

impl StandIn {
    async fn start(replies: Vec<Reply>) -> Self {
        // What the servers of this process log, in detail.
        _ = tracing_subscriber::fmt()
            .with_env_filter("tenon_sdk=trace,tenon_services=trace")
            .with_ansi(false)
            .with_writer(|| Log)
            .try_init();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let replies = Arc::new(Mutex::new(VecDeque::from(replies)));
        let (log, next) = (asked.clone(), replies.clone());
        let router = Router::new().fallback(move |method, uri: Uri, headers: HeaderMap, body: Bytes| {
            log.lock().unwrap().push(Asked {
                method,
                path: uri.to_string(),
                headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            });
            let reply = {
                let mut next = next.lock().unwrap();
                let reply = next.front().cloned().expect("an answer");
                if next.len() > 1 {
                    next.pop_front();
                }
                reply
            };
            async move {
                match reply {
                    Reply::With(status, body) => {
                        let status = StatusCode::from_u16(status).unwrap();
                        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
                    }
                    Reply::Headed(status, name, value, body) => {
                        let status = StatusCode::from_u16(status).unwrap();
                        (
                            status,
                            [(header::CONTENT_TYPE.as_str(), "application/json"), (name, value)],
                            body,
                        )
                            .into_response()
                    }
                    Reply::Never => std::future::pending().await,
                    Reply::Broken => panic!("the stand-in breaks a connection off"),
                }
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        URL.set(url).expect("one stand-in a process");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { asked, replies }
    }

    fn answer(&self, reply: Reply) {
        *self.replies.lock().unwrap() = [reply].into();
    }

    /// What was asked since the last look.
    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

struct Log;

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What was logged so far.
fn log() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap()).into_owned()
}

async fn server(config: fn(&mut Config)) -> TestServer {
    TestServer::configured(vec![], config).await
}

/// The stand-in may be called, although it is on this machine.
fn reachable(config: &mut Config) -> String {
    config.outbound.allow_private = vec!["127.0.0.0/8".parse().unwrap()];
    URL.get().expect("a stand-in").clone()
}
