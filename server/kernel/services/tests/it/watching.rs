//! What a server tells those who run it: figures, and ids of requests.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode, header};
use tenon_testkit::TestServer;
use uuid::Uuid;

use crate::chores::{Manner, app, enqueue};

const TOKEN: &str = "a-token-for-figures";

async fn server() -> TestServer {
    TestServer::configured(vec![app()], |config| {
        config.telemetry.metrics_token = TOKEN.into();
    })
    .await
}

async fn figures(server: &TestServer) -> String {
    let asked = server.anonymous(Method::GET, "/metrics").bearer_auth(TOKEN);
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    answer.text().await.unwrap()
}

/// The value of a figure with these labels, of which there may be others.
fn value(text: &str, name: &str, labels: &[&str]) -> f64 {
    let found = text.lines().find(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| {
            rest.starts_with(['{', ' ']) && labels.iter().all(|label| rest.contains(label))
        })
    });
    let line = found.unwrap_or_else(|| panic!("{name} {labels:?}:\n{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn figures_are_for_whoever_has_their_token_and_are_not_there_without_one() {
    let server = server().await;
    let user = server.user("somebody").await;
    for asked in [
        server.anonymous(Method::GET, "/metrics"),
        server
            .anonymous(Method::GET, "/metrics")
            .bearer_auth("a-token-for-figure"),
        server.anonymous(Method::GET, "/metrics").bearer_auth(""),
        server.anonymous(Method::GET, &format!("/metrics?token={TOKEN}")),
        user.get("/metrics"),
    ] {
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        let told: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(told["code"], "telemetry.token_required");
    }
    figures(&server).await;
    let closed = TestServer::start(vec![]).await;
    for asked in [
        closed.anonymous(Method::GET, "/metrics"),
        closed.anonymous(Method::GET, "/metrics").bearer_auth(""),
    ] {
        assert_eq!(asked.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn requests_are_counted_by_their_route_and_never_by_their_address() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    for number in 0..20 {
        let path = format!("/api/v1/access/keys/{}", Uuid::from_u128(number));
        org.owner.request(Method::DELETE, &path).send().await.unwrap();
        let made_up = Method::from_bytes(format!("X{number}").as_bytes()).unwrap();
        server
            .anonymous(made_up, &format!("/nothing/{number}"))
            .send()
            .await
            .unwrap();
    }
    let text = figures(&server).await;
    let counts = "tenon_request_duration_seconds_count";
    let route = [
        "method=\"DELETE\"",
        "route=\"/api/v1/access/keys/{id}\"",
        "status=\"4xx\"",
    ];
    assert!(value(&text, counts, &route) >= 20.0);
    assert!(value(&text, counts, &["method=\"other\"", "route=\"none\""]) >= 20.0);
    assert!(value(&text, "tenon_requests_open", &[]) >= 1.0);
    let routes: BTreeSet<_> = text
        .lines()
        .filter_map(|line| {
            line.strip_prefix(counts)?
                .split("route=\"")
                .nth(1)?
                .split('"')
                .next()
        })
        .collect();
    assert!(
        routes.iter().all(|route| !route.contains("00000000-")),
        "{routes:?}"
    );
    for secret in [org.id.to_string(), org.owner.id.to_string()] {
        assert!(!text.contains(&secret), "{secret}");
    }
}

#[tokio::test]
async fn jobs_connections_and_the_process_are_told_of() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    enqueue(&server, &org, "well", Manner::Well).await;
    enqueue(&server, &org, "hopeless", Manner::Hopelessly).await;
    let admin = server.admin().await;
    crate::chores::until(
        &admin,
        "select count(*) = 1 and count(*) filter (where state = 'dead') = 1 from jobs.queue where name = 'chores.do'",
    )
    .await;
    let text = figures(&server).await;
    assert!(value(&text, "tenon_jobs", &["state=\"dead\""]) >= 1.0);
    assert!(value(&text, "tenon_jobs", &["state=\"held\""]) >= 0.0);
    assert!(
        value(
            &text,
            "tenon_job_runs_total",
            &["job=\"chores.do\"", "outcome=\"done\""]
        ) >= 1.0
    );
    assert!(
        value(
            &text,
            "tenon_job_runs_total",
            &["job=\"chores.do\"", "outcome=\"dead\""]
        ) >= 1.0
    );
    assert!(value(&text, "tenon_job_wait_seconds_count", &["job=\"chores.do\""]) >= 2.0);
    assert!(
        value(
            &text,
            "tenon_database_connections_max",
            &["kind=\"transactions\""]
        ) >= 2.0
    );
    assert!(value(&text, "tenon_database_piped", &["kind=\"reads\""]) >= 0.0);
    assert!((value(&text, "tenon_build_info", &[env!("CARGO_PKG_VERSION")]) - 1.0).abs() < 0.5);
    assert!(value(&text, "tenon_stopping", &[]) < 0.5);
    assert_eq!(text.lines().last(), Some("# EOF"));
}

#[tokio::test]
async fn every_answer_names_its_request_and_takes_over_a_sane_name_only() {
    let server = TestServer::start(vec![]).await;
    let id = async |path: &str, sent: Option<&str>| {
        let mut asked = server.anonymous(Method::GET, path);
        if let Some(sent) = sent {
            asked = asked.header("x-request-id", sent);
        }
        let answer = asked.send().await.unwrap();
        answer.headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(id("/healthz", Some("abc-1")).await, "abc-1");
    // Refusals, too.
    assert_eq!(id("/api/v1/tenancy/session", Some("abc-2")).await, "abc-2");
    for odd in [None, Some("a b"), Some("a\"b"), Some(&*"x".repeat(200))] {
        let made = id("/healthz", odd).await;
        assert!(made.parse::<Uuid>().is_ok(), "{made}");
    }
    assert_ne!(id("/healthz", None).await, id("/healthz", None).await);
}
