//! A server that is told to stop: nothing that it has is lost, and nobody waits for it.

use reqwest::{Method, StatusCode};
use tenon_sdk::config::Config;
use tenon_testkit::{TestServer, TestServerOptions};

use crate::chores::{Manner, app, enqueue, marks, one, until};

/// Without being given back, jobs of a worker that ended would be another's in an hour.
fn long_leases(config: &mut Config) {
    config.jobs.lease_seconds = 3600;
    config.jobs.poll_seconds = 3600;
}

async fn server(config: fn(&mut Config)) -> TestServer {
    TestServer::configured(vec![app()], config).await
}

#[tokio::test]
async fn a_job_that_does_not_end_in_time_goes_to_another_worker_at_once() {
    let first = server(|config| {
        long_leases(config);
        config.server.drain_seconds = 0;
    })
    .await;
    let org = first.organization("Harbour").await;
    let admin = first.admin().await;
    enqueue(&first, &org, "endless", Manner::Forever).await;
    until(&admin, "select count(*) = 1 from chores.marks").await;
    let options = TestServerOptions {
        config: Some(long_leases),
        ..TestServerOptions::default()
    };
    let other = first.beside(vec![app()], options).await;
    first.stop().await;
    until(&admin, "select count(*) = 2 from chores.marks").await;
    // It did not fail, so it has not cost it an attempt.
    let attempts: Vec<_> = marks(&admin)
        .await
        .into_iter()
        .map(|(_, attempt)| attempt)
        .collect();
    assert_eq!(attempts, [1, 1]);
    let workers = "select count(*) from jobs.workers where lease_until > now() + interval '1 minute'";
    assert_eq!(
        one::<i64>(&admin, workers).await,
        1,
        "the first has no lease any more"
    );
    drop(other);
}

#[tokio::test]
async fn a_job_that_ends_in_time_is_over_and_no_other_is_begun() {
    let server = server(|config| {
        long_leases(config);
        config.jobs.workers = 1;
        config.server.drain_seconds = 60;
    })
    .await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    enqueue(&server, &org, "slow", Manner::Slowly(700)).await;
    until(&admin, "select count(*) = 1 from chores.marks").await;
    for label in ["second", "third"] {
        enqueue(&server, &org, label, Manner::Well).await;
    }
    // It keeps the database.
    let options = TestServerOptions {
        no_workers: true,
        ..TestServerOptions::default()
    };
    let _beside = server.beside(vec![app()], options).await;
    server.stop().await;
    assert_eq!(marks(&admin).await, [("slow".to_owned(), 1)]);
    let done = "select count(*) from jobs.history where name = 'chores.do' and outcome = 'done'";
    assert_eq!(one::<i64>(&admin, done).await, 1);
    let left = "select count(*) from jobs.queue where state = 'ready' and attempts = 0 and worker is null";
    assert_eq!(one::<i64>(&admin, left).await, 2);
}

#[tokio::test]
async fn readiness_says_no_first_and_requests_are_answered_still() {
    let server = server(|_| {}).await;
    let ask = async |path: &str| server.anonymous(Method::GET, path).send().await.unwrap();
    assert_eq!(ask("/readyz").await.status(), StatusCode::OK);
    assert!(ask("/healthz").await.headers().get("connection").is_none());
    server.kernel().stopping().leave();
    let refused = ask("/readyz").await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    let told: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(told["code"], "server.stopping");
    let alive = ask("/healthz").await;
    assert_eq!(alive.status(), StatusCode::OK);
    assert_eq!(alive.headers()["connection"], "close");
    server.user("late").await;
}
