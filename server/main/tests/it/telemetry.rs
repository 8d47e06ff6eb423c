//! What the binary tells about its work: lines of the log, figures, traces.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::HeaderMap,
    routing::{get, post},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value as Told,
    trace::v1::{Span, span::SpanKind},
};
use prost::Message;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, process::Command, sync::watch};

use crate::process::{Person, Process, folder, send, tenon};

/// What is seen of it in no line and no span.
const SECRET: &str = "s3cret-5f2a9c";

fn serve(data_dir: &Path, settings: &[&str]) -> Command {
    let mut command = tenon(&["serve", "--data-dir", data_dir.to_str().unwrap(), "--port", "0"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command
}

/// Requests with something secret in every place that a request has.
async fn say_secrets(server: &Process, person: &Person) {
    let asked = [
        server
            .request(
                Method::GET,
                &format!("/rest/v1/orders?apikey={SECRET}&number=eq.{SECRET}"),
            )
            .header("apikey", SECRET),
        server
            .request(Method::GET, &format!("/realtime/v1/websocket?apikey={SECRET}"))
            .header("cookie", format!("tenon={SECRET}")),
        server.request(
            Method::GET,
            &format!("/storage/v1/object/sign/files/a?token={SECRET}"),
        ),
        server.request(Method::GET, &format!("/api/v1/none/{SECRET}?token={SECRET}")),
        server
            .request(Method::POST, "/auth/v1/token?grant_type=password")
            .json(&json!({ "email": "harbour@example.com", "password": SECRET })),
        server
            .request(Method::POST, "/auth/v1/token?grant_type=refresh_token")
            .json(&json!({ "refresh_token": SECRET })),
        server
            .request(Method::POST, "/auth/v1/verify")
            .json(&json!({ "type": "recovery", "token_hash": SECRET })),
        server.request(
            Method::GET,
            &format!("/auth/v1/authorize?provider={SECRET}&code_challenge={SECRET}"),
        ),
        person
            .request(server, Method::POST, "/api/v1/tenancy/invitations")
            .header("x-request-id", SECRET.repeat(20))
            .json(&json!({ "email": SECRET, "role": SECRET })),
        person
            .request(
                server,
                Method::GET,
                &format!("/rest/v1/orders?number=eq.{SECRET}&select=number,'{SECRET}"),
            )
            .header("accept-profile", "purchasing"),
        server
            .request(Method::GET, "/rest/v1/orders")
            .header("authorization", format!("Basic {SECRET}")),
        server
            .request(Method::GET, "/rest/v1/orders")
            .header("authorization", format!("Bearer tnn_sec_{SECRET}")),
    ];
    for request in asked {
        request.send().await.expect("an answer");
    }
}

#[tokio::test]
async fn lines_say_which_request_organisation_and_person_they_are_about_and_nothing_secret() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let log = data_dir.with_extension("log");
    let mut command = serve(
        &data_dir,
        &[
            "telemetry.log_requests=all",
            "telemetry.log_format=json",
            "telemetry.slow_statement_ms=1",
        ],
    );
    let ours = "tenon=trace,tenon_sdk=trace,tenon_services=trace,tenon_data_api=trace,tenon_storage=trace,tenon_realtime=trace";
    command.env("RUST_LOG", format!("info,{ours}"));
    let server = Process::start(command, &log).await;
    let person = Person::new(&server, "harbour").await;
    send(
        person
            .request(&server, Method::GET, "/api/v1/tenancy/session")
            .header("x-request-id", "named-1"),
    )
    .await;
    say_secrets(&server, &person).await;
    let told = server.log();
    let lines: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("one object a line: {line}")))
        .collect();
    let named = lines
        .iter()
        .find(|line| line["request_id"] == "named-1" && line["target"] == "tenon::requests")
        .unwrap_or_else(|| panic!("a line for the request: {told}"));
    assert_eq!(named["fields"]["route"], "/api/v1/tenancy/session");
    assert_eq!(named["fields"]["method"], "GET");
    assert_eq!(named["fields"]["status"], 200);
    assert!(named["fields"]["ms"].as_f64().is_some_and(|ms| ms > 0.0));
    assert_eq!(named["organization"], person.org());
    assert!(
        named["person"].as_str().is_some_and(|id| id.len() == 36),
        "{named}"
    );
    assert!(lines.iter().any(|line| line["target"] == "tenon::slow"), "{told}");
    for secret in [SECRET, "correct horse battery", person.token()] {
        let line = told.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

#[tokio::test]
async fn figures_have_a_listener_of_their_own() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let log = data_dir.with_extension("log");
    let mut command = serve(&data_dir, &["telemetry.listen=127.0.0.1:0"]);
    command.env("RUST_LOG", "warn,tenon=info");
    let server = Process::start(command, &log).await;
    let told = server.log();
    let address = told.split("address=").nth(1).unwrap_or_else(|| panic!("{told}"));
    let address = address.split_whitespace().next().unwrap();
    for (path, shown) in [
        ("/metrics", "process_resident_memory_bytes"),
        ("/metrics", "tenon_realtime_connections"),
        ("/metrics", "tenon_storage_bytes"),
        ("/healthz", "ok"),
        ("/readyz", "ready"),
    ] {
        let answer = reqwest::get(format!("http://{address}{path}")).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let text = answer.text().await.unwrap();
        assert!(text.contains(shown), "{path}: {text}");
    }
    let closed = server.request(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(closed.status(), StatusCode::NOT_FOUND);
    let nothing_else = reqwest::get(format!("http://{address}/rest/v1/")).await.unwrap();
    assert_eq!(nothing_else.status(), StatusCode::NOT_FOUND);
}

/// A collector, and a service outside that remembers which trace it was called in.
#[derive(Clone)]
struct Collector {
    spans: Arc<watch::Sender<Vec<Span>>>,
    called_in: Arc<watch::Sender<Option<String>>>,
    keys: Arc<watch::Sender<Option<String>>>,
}

async fn collect(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body).expect("OTLP");
    let key = headers
        .get("x-key")
        .and_then(|key| key.to_str().ok())
        .map(str::to_owned);
    collector.keys.send_replace(key);
    let scopes = request
        .resource_spans
        .into_iter()
        .flat_map(|resource| resource.scope_spans);
    let spans = scopes.flat_map(|scope| scope.spans);
    collector.spans.send_modify(|all| all.extend(spans));
}

async fn called(State(collector): State<Collector>, headers: HeaderMap) -> &'static str {
    let trace = headers.get("traceparent").and_then(|value| value.to_str().ok());
    collector.called_in.send_replace(trace.map(str::to_owned));
    ""
}

impl Collector {
    async fn start() -> (Self, String) {
        let collector = Self {
            spans: Arc::default(),
            called_in: Arc::default(),
            keys: Arc::default(),
        };
        let router = Router::new()
            .route("/v1/traces", post(collect))
            .route("/range/{prefix}", get(called))
            .with_state(collector.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, address)
    }

    /// The spans of a trace, once there is one of this name.
    async fn trace(&self, id: &str, name: &str) -> Vec<Span> {
        let mut spans = self.spans.subscribe();
        let of_trace = |all: &Vec<Span>| -> Vec<Span> {
            all.iter()
                .filter(|span| hex(&span.trace_id) == id)
                .cloned()
                .collect()
        };
        let found = spans.wait_for(|all| of_trace(all).iter().any(|span| span.name == name));
        let found = tokio::time::timeout(Duration::from_mins(1), found).await;
        let found = found.unwrap_or_else(|_| panic!("{name}: {:?}", self.spans.borrow()));
        of_trace(&found.unwrap())
    }
}

fn hex(bytes: &[u8]) -> String {
    tenon_sdk::hex(bytes)
}

fn attributes(span: &Span) -> BTreeMap<String, String> {
    let told = span.attributes.iter().map(|attribute| {
        let value = attribute.value.as_ref().and_then(|value| value.value.clone());
        let text = match value {
            Some(Told::StringValue(text)) => text,
            Some(Told::IntValue(number)) => number.to_string(),
            other => format!("{other:?}"),
        };
        (attribute.key.clone(), text)
    });
    told.collect()
}

#[tokio::test]
async fn a_trace_goes_from_the_one_who_asks_through_the_request_to_statements_and_calls_outside() {
    let (collector, address) = Collector::start().await;
    let folder = folder();
    let data_dir = folder.path().join("data");
    let log = data_dir.with_extension("log");
    let command = serve(
        &data_dir,
        &[
            &format!("telemetry.otlp_endpoint={address}/v1/traces"),
            "telemetry.otlp_headers=x-key=of the collector",
            &format!("auth.breached_passwords_url={address}/range/"),
            "outbound.allow_private=[\"127.0.0.0/8\"]",
        ],
    );
    let server = Process::start(command, &log).await;
    let person = Person::new(&server, "harbour").await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let asked = person
        .request(
            &server,
            Method::GET,
            &format!("/rest/v1/orders?number=eq.{SECRET}"),
        )
        .header("accept-profile", "purchasing")
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    assert_eq!(asked.send().await.unwrap().status(), StatusCode::OK);
    let account = json!({ "email": "yard@example.com", "password": "a horse of another colour" });
    let called = "11112222333344445555666677778888";
    let signed_up = server
        .request(Method::POST, "/auth/v1/signup")
        .header("traceparent", format!("00-{called}-00f067aa0ba902b7-01"));
    send(signed_up.json(&account)).await;

    let spans = collector.trace(trace, "GET /rest/v1/{*path}").await;
    let root = spans
        .iter()
        .find(|span| span.kind == SpanKind::Server as i32)
        .unwrap();
    assert_eq!(hex(&root.parent_span_id), "00f067aa0ba902b7");
    let said = attributes(root);
    assert_eq!(said["http.response.status_code"], "200");
    assert_eq!(said["tenon.organization"], person.org());
    let statement = spans
        .iter()
        .find(|span| span.parent_span_id == root.span_id)
        .unwrap_or_else(|| panic!("{spans:?}"));
    let said = attributes(statement);
    assert_eq!(said["db.system.name"], "postgresql");
    assert!(said["db.query.text"].contains("orders"), "{said:?}");
    assert!(root.start_time_unix_nano <= statement.start_time_unix_nano);
    assert!(statement.end_time_unix_nano <= root.end_time_unix_nano);

    let spans = collector.trace(called, "POST /auth/v1/signup").await;
    let call = spans
        .iter()
        .find(|span| span.name == "GET")
        .unwrap_or_else(|| panic!("{spans:?}"));
    let passed_on = collector
        .called_in
        .borrow()
        .clone()
        .expect("the service outside was called");
    assert_eq!(passed_on, format!("00-{called}-{}-01", hex(&call.span_id)));
    assert_eq!(collector.keys.borrow().as_deref(), Some("of the collector"));

    let all = format!("{:?}", collector.spans.borrow());
    for secret in [
        SECRET,
        "a horse of another colour",
        person.token(),
        "yard@example.com",
    ] {
        assert!(!all.contains(secret), "{secret}");
    }
    // What is left is sent on the way out.
    let last = "99998888777766665555444433332222";
    let asked = server
        .request(Method::GET, "/healthz")
        .header("traceparent", format!("00-{last}-00f067aa0ba902b7-01"));
    asked.send().await.unwrap();
    assert!(server.terminate().await);
    collector.trace(last, "GET /healthz").await;
}

#[tokio::test]
async fn a_collector_that_is_away_costs_no_request() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let log = data_dir.with_extension("log");
    // Nobody listens there.
    let command = serve(
        &data_dir,
        &["telemetry.otlp_endpoint=http://127.0.0.1:9/v1/traces"],
    );
    let server = Process::start(command, &log).await;
    let person = Person::new(&server, "harbour").await;
    person.get(&server, "/api/v1/tenancy/session").await;
    assert!(server.terminate().await);
}
