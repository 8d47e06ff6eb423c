//! Cancelling, retrying and re-driving jobs.

use tenon_sdk::{db::EnqueueOptions, error::Kind};
use tenon_services::jobs;
use tenon_testkit::{TestOrg, TestServer, TestServerOptions};
use uuid::Uuid;

use crate::chores::{Chore, Manner, app, at_work, enqueue, idle_server, marks, one, server, until};

async fn put(server: &TestServer, org: &TestOrg, manner: Manner, options: EnqueueOptions) -> Uuid {
    let tx = at_work(server, org).begin().await.unwrap();
    let chore = Chore {
        label: "by hand".to_owned(),
        manner,
    };
    let id = tx.enqueue_with(&chore, options).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test]
async fn a_job_that_does_not_run_is_cancelled_at_once_and_its_key_is_free() {
    let server = idle_server().await;
    let (org, other) = (
        server.organization("Harbour").await,
        server.organization("Yard").await,
    );
    let keyed = EnqueueOptions {
        unique_key: Some("k".to_owned()),
        ..EnqueueOptions::default()
    };
    let id = put(&server, &org, Manner::Well, keyed.clone()).await;
    let (kernel, by) = (server.kernel(), org.owner.id);
    let foreign = jobs::cancel(kernel, Some(other.id), by, id).await.unwrap_err();
    assert_eq!(
        (foreign.kind, foreign.code.as_ref()),
        (Kind::NotFound, "jobs.not_found")
    );
    assert!(jobs::cancel(kernel, Some(org.id), by, id).await.unwrap());
    assert!(jobs::cancel(kernel, None, by, id).await.is_err());
    put(&server, &org, Manner::Well, keyed).await;
    let worker = server.beside(vec![app()], TestServerOptions::default()).await;
    worker.drain_jobs().await;
    let admin = server.admin().await;
    assert_eq!(marks(&admin).await.len(), 1);
    let outcome = format!("select outcome from jobs.history where id = '{id}'");
    assert_eq!(one::<String>(&admin, &outcome).await, "cancelled");
}

#[tokio::test]
async fn a_running_job_hears_that_it_is_cancelled_and_may_tidy_up() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let id = put(&server, &org, Manner::UntilCancelled, EnqueueOptions::default()).await;
    let admin = server.admin().await;
    until(&admin, "select exists (select from chores.marks)").await;
    assert!(
        !jobs::cancel(server.kernel(), Some(org.id), org.owner.id, id)
            .await
            .unwrap()
    );
    until(
        &admin,
        "select exists (select from jobs.history where outcome = 'cancelled')",
    )
    .await;
    let labels: Vec<_> = marks(&admin).await.into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels, ["by hand", "tidied up"]);
    let error: String = one(&admin, "select error ->> 'code' from jobs.history").await;
    assert_eq!(error, "chores.tired");
}

#[tokio::test]
async fn a_running_job_that_does_not_listen_is_dropped() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let id = put(&server, &org, Manner::Forever, EnqueueOptions::default()).await;
    let admin = server.admin().await;
    until(&admin, "select exists (select from chores.marks)").await;
    jobs::cancel(server.kernel(), None, org.owner.id, id)
        .await
        .unwrap();
    until(
        &admin,
        "select exists (select from jobs.history where outcome = 'cancelled')",
    )
    .await;
    assert_eq!(
        one::<String>(&admin, "select error ->> 'code' from jobs.history").await,
        "jobs.cancelled"
    );
}

#[tokio::test]
async fn dead_jobs_run_again_with_all_attempts_except_where_their_key_is_taken() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let (kernel, by, admin) = (server.kernel(), org.owner.id, server.admin().await);
    let keyed = || EnqueueOptions {
        unique_key: Some("k".to_owned()),
        ..EnqueueOptions::default()
    };
    let first = put(&server, &org, Manner::Hopelessly, keyed()).await;
    until(&admin, "select count(*) = 1 from jobs.queue where state = 'dead'").await;
    put(&server, &org, Manner::Hopelessly, keyed()).await;
    put(&server, &org, Manner::Hopelessly, EnqueueOptions::default()).await;
    until(&admin, "select count(*) = 3 from jobs.queue where state = 'dead'").await;
    admin
        .batch_execute("update jobs.queue set payload = jsonb_set(payload, '{manner}', '\"Well\"')")
        .await
        .unwrap();
    assert_eq!(
        jobs::redrive(kernel, Some(org.id), by, Some("chores.none"))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        jobs::redrive(kernel, Some(org.id), by, Some("chores.do"))
            .await
            .unwrap(),
        2
    );
    until(&admin, "select count(*) = 2 from jobs.history where attempts = 1").await;
    let waiting = put(
        &server,
        &org,
        Manner::Well,
        EnqueueOptions {
            delay: std::time::Duration::from_hours(1),
            ..keyed()
        },
    )
    .await;
    let dead: Uuid = one(&admin, "select id from jobs.queue where state = 'dead'").await;
    assert_ne!(dead, first, "the oldest went first");
    let taken = jobs::retry(kernel, Some(org.id), by, dead).await.unwrap_err();
    assert_eq!(taken.code, "jobs.key_taken");
    jobs::retry(kernel, Some(org.id), by, waiting).await.unwrap();
    until(&admin, "select count(*) = 3 from jobs.history").await;
    jobs::retry(kernel, Some(org.id), by, dead).await.unwrap();
    server.drain_jobs().await;
    assert!(jobs::retry(kernel, Some(org.id), by, dead).await.is_err());
    let told = "select count(*) from events.outbox where kind = 'jobs.job_retried'";
    assert_eq!(one::<i64>(&admin, told).await, 4);
}

#[tokio::test]
async fn a_job_that_runs_is_not_retried() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    enqueue(&server, &org, "long", Manner::Forever).await;
    let admin = server.admin().await;
    until(&admin, "select exists (select from chores.marks)").await;
    let id: Uuid = one(&admin, "select id from jobs.queue").await;
    let refused = jobs::retry(server.kernel(), Some(org.id), org.owner.id, id)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "jobs.not_waiting");
}
