//! Workers that die, hang or come back too late.

use tenon_testkit::TestServerOptions;

use crate::chores::{Manner, OnlyChance, app, at_work, enqueue, eventually, marks, one, server, until};

#[tokio::test]
async fn a_job_whose_worker_died_is_given_to_another_one() {
    let dying = server().await;
    let org = dying.organization("Harbour").await;
    enqueue(&dying, &org, "given back", Manner::Forever).await;
    let admin = dying.admin().await;
    until(&admin, "select exists (select from chores.marks)").await;
    let survivor = dying.beside(vec![app()], TestServerOptions::default()).await;
    drop(dying);
    eventually("the other server has finished it", async || {
        one::<i64>(&admin, "select count(*) from jobs.history where attempts = 2").await == 1
    })
    .await;
    assert_eq!(
        marks(&admin).await,
        [("given back".to_owned(), 1), ("given back".to_owned(), 2)]
    );
    survivor.drain_jobs().await;
}

#[tokio::test]
async fn a_job_that_took_its_worker_down_too_often_is_put_aside() {
    let dying = server().await;
    let org = dying.organization("Harbour").await;
    let tx = at_work(&dying, &org).begin().await.unwrap();
    tx.enqueue(&OnlyChance).await.unwrap();
    tx.commit().await.unwrap();
    let admin = dying.admin().await;
    until(&admin, "select exists (select from chores.marks)").await;
    let _survivor = dying.beside(vec![app()], TestServerOptions::default()).await;
    drop(dying);
    until(
        &admin,
        "select exists (select from jobs.queue where state = 'dead')",
    )
    .await;
    assert_eq!(
        one::<String>(&admin, "select error ->> 'code' from jobs.queue").await,
        "jobs.worker_lost"
    );
    assert_eq!(marks(&admin).await.len(), 1);
}

#[tokio::test]
async fn a_worker_that_is_alive_keeps_its_job_beyond_the_lease() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    enqueue(&server, &org, "long", Manner::Forever).await;
    let admin = server.admin().await;
    until(
        &admin,
        "select exists (select from jobs.queue where state = 'running')",
    )
    .await;
    let first: i64 = one(
        &admin,
        "select extract(epoch from max(lease_until))::bigint from jobs.workers",
    )
    .await;
    // Twice the lease of a test server.
    let later =
        format!("select extract(epoch from max(lease_until))::bigint >= {first} + 6 from jobs.workers");
    until(&admin, &later).await;
    assert_eq!(one::<i64>(&admin, "select fence from jobs.queue").await, 1);
    assert_eq!(marks(&admin).await.len(), 1);
}

/// What other workers do to the jobs of one that is silent.
const LOSE: &str = "update jobs.queue set state = 'ready', fence = fence + 1, worker = null where state = 'running'; \
    notify tenon_jobs";

#[tokio::test]
async fn a_worker_that_lost_its_lease_can_neither_tell_progress_nor_finish() {
    // A lease so long that the worker does not look after it during the test: it does not know that it lost it. It has no hand free to
    // take the job again.
    let server = tenon_testkit::TestServer::configured(vec![app()], |config| {
        config.jobs.lease_seconds = 3600;
        config.jobs.workers = 1;
    })
    .await;
    let org = server.organization("Harbour").await;
    enqueue(&server, &org, "overtaken", Manner::Overtaken).await;
    let admin = server.admin().await;
    until(
        &admin,
        "select exists (select from jobs.queue where state = 'running')",
    )
    .await;
    let _other = server.beside(vec![app()], TestServerOptions::default()).await;
    admin.batch_execute(LOSE).await.unwrap();
    until(&admin, "select count(*) = 2 from chores.marks").await;
    let late = ("overtaken: jobs.lease_lost".to_owned(), 1);
    assert_eq!(marks(&admin).await, [("overtaken".to_owned(), 2), late]);
    until(&admin, "select not exists (select from jobs.queue)").await;
    assert_eq!(
        one::<i64>(&admin, "select count(*) from jobs.history").await,
        1,
        "it is finished once"
    );
    assert_eq!(one::<i32>(&admin, "select attempts from jobs.history").await, 2);
}

#[tokio::test]
async fn a_worker_that_finds_its_lease_lost_stops_its_work() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    enqueue(&server, &org, "stopped", Manner::Forever).await;
    let admin = server.admin().await;
    until(&admin, "select exists (select from chores.marks)").await;
    admin.batch_execute(LOSE).await.unwrap();
    server.drain_jobs().await;
    assert_eq!(
        marks(&admin).await,
        [("stopped".to_owned(), 1), ("stopped".to_owned(), 2)]
    );
    assert_eq!(one::<i32>(&admin, "select attempts from jobs.history").await, 2);
}
