//! The queue of work: what is enqueued when, in which order it runs, what happens when it fails.

use std::time::Duration;

use tenon_sdk::db::EnqueueOptions;
use tenon_testkit::{TestServer, TestServerOptions};

use crate::chores::{Chore, Manner, app, at_work, enqueue, idle_server, marks, one, server, until};

/// Lets failed jobs run again at once.
const HURRY: &str = "update jobs.queue set run_at = now() where state = 'waiting'; notify tenon_jobs";

fn chore(label: &str) -> Chore {
    Chore {
        label: label.to_owned(),
        manner: Manner::Well,
    }
}

#[tokio::test]
async fn a_job_runs_when_its_transaction_commits_and_never_otherwise() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    for label in ["dropped", "rolled back"] {
        let tx = at_work(&server, &org).begin().await.unwrap();
        assert!(tx.enqueue(&chore(label)).await.unwrap().is_some());
        if label == "rolled back" {
            tx.rollback().await.unwrap();
        }
    }
    enqueue(&server, &org, "kept", Manner::Well).await;
    server.drain_jobs().await;
    let admin = server.admin().await;
    assert_eq!(marks(&admin).await, [("kept".to_owned(), 1)]);
    let history = "select count(*) from jobs.history where name = 'chores.do' and attempts = 1";
    assert_eq!(one::<i64>(&admin, history).await, 1);
}

#[tokio::test]
async fn a_job_works_in_the_organisation_and_for_the_person_that_enqueued_it() {
    let server = server().await;
    let (harbour, yard) = (
        server.organization("Harbour").await,
        server.organization("Yard").await,
    );
    enqueue(&server, &harbour, "harbour", Manner::Well).await;
    enqueue(&server, &yard, "yard", Manner::Well).await;
    server.drain_jobs().await;
    let admin = server.admin().await;
    for (org, label) in [(&harbour, "harbour"), (&yard, "yard")] {
        let sql = "select label, by from chores.marks where org_id = $1";
        let row = admin.query_one(sql, &[&org.id]).await.unwrap();
        assert_eq!((row.get(0), row.get(1)), (label, Some(org.owner.id.0)));
    }
}

#[tokio::test]
async fn a_unique_key_is_taken_once_an_organisation_until_its_job_is_done() {
    let server = idle_server().await;
    let (harbour, yard) = (
        server.organization("Harbour").await,
        server.organization("Yard").await,
    );
    let keyed = |key: &str| EnqueueOptions {
        unique_key: Some(key.to_owned()),
        ..EnqueueOptions::default()
    };
    let tx = at_work(&server, &harbour).begin().await.unwrap();
    assert!(
        tx.enqueue_with(&chore("first"), keyed("k"))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        tx.enqueue_with(&chore("second"), keyed("k"))
            .await
            .unwrap()
            .is_none(),
        "the key is taken"
    );
    assert!(
        tx.enqueue_with(&chore("other key"), keyed("l"))
            .await
            .unwrap()
            .is_some()
    );
    tx.commit().await.unwrap();
    let tx = at_work(&server, &yard).begin().await.unwrap();
    assert!(
        tx.enqueue_with(&chore("other organisation"), keyed("k"))
            .await
            .unwrap()
            .is_some()
    );
    tx.commit().await.unwrap();

    let worker = server.beside(vec![app()], TestServerOptions::default()).await;
    worker.drain_jobs().await;
    let tx = at_work(&server, &harbour).begin().await.unwrap();
    assert!(
        tx.enqueue_with(&chore("afterwards"), keyed("k"))
            .await
            .unwrap()
            .is_some(),
        "the key is free again"
    );
    tx.commit().await.unwrap();
    worker.drain_jobs().await;
    let mut labels: Vec<_> = marks(&server.admin().await)
        .await
        .into_iter()
        .map(|(label, _)| label)
        .collect();
    labels.sort();
    assert_eq!(labels, ["afterwards", "first", "other key", "other organisation"]);
}

#[tokio::test]
async fn urgent_jobs_go_first_and_delayed_ones_wait() {
    let server = idle_server().await;
    let org = server.organization("Harbour").await;
    let tx = at_work(&server, &org).begin().await.unwrap();
    for (label, priority) in [("usual", 0), ("late", -5), ("urgent", 9), ("soon", 1)] {
        let options = EnqueueOptions {
            priority,
            ..EnqueueOptions::default()
        };
        tx.enqueue_with(&chore(label), options).await.unwrap();
    }
    let tomorrow = EnqueueOptions {
        delay: Duration::from_hours(24),
        priority: 100,
        ..EnqueueOptions::default()
    };
    tx.enqueue_with(&chore("tomorrow"), tomorrow).await.unwrap();
    tx.commit().await.unwrap();

    let one_at_a_time = TestServerOptions {
        config: Some(|config| config.jobs.workers = 1),
        ..TestServerOptions::default()
    };
    let _worker = server.beside(vec![app()], one_at_a_time).await;
    let admin = server.admin().await;
    until(&admin, "select count(*) >= 4 from chores.marks").await;
    let labels = |marks: Vec<(String, i32)>| marks.into_iter().map(|(label, _)| label).collect::<Vec<_>>();
    assert_eq!(labels(marks(&admin).await), ["urgent", "soon", "usual", "late"]);
    until(&admin, "select count(*) = 1 from jobs.queue").await;
    admin.batch_execute(HURRY).await.unwrap();
    until(
        &admin,
        "select exists (select from chores.marks where label = 'tomorrow')",
    )
    .await;
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_after_a_pause_and_keeps_its_error() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    enqueue(&server, &org, "third time lucky", Manner::BadlyUntil(2)).await;
    let admin = server.admin().await;
    for attempt in 1..=2 {
        let failed = format!(
            "select exists (select from jobs.queue where attempts >= {attempt} and state = 'waiting' and worker is null \
             and error ->> 'code' = 'chores.tired' and error ->> 'details' = 'attempt {attempt}' \
             and run_at > now() - interval '1 second')"
        );
        until(&admin, &failed).await;
        admin.batch_execute(HURRY).await.unwrap();
    }
    server.drain_jobs().await;
    let expected: Vec<_> = (1..=3)
        .map(|attempt| ("third time lucky".to_owned(), attempt))
        .collect();
    assert_eq!(marks(&admin).await, expected);
    assert_eq!(one::<i32>(&admin, "select attempts from jobs.history").await, 3);
}

#[tokio::test]
async fn a_job_without_attempts_left_is_put_aside_with_its_error_and_can_be_enqueued_again() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let key = EnqueueOptions {
        unique_key: Some("k".to_owned()),
        ..EnqueueOptions::default()
    };
    let tx = at_work(&server, &org).begin().await.unwrap();
    let hopeless = Chore {
        label: "tired".to_owned(),
        manner: Manner::BadlyUntil(99),
    };
    tx.enqueue_with(&hopeless, key.clone()).await.unwrap();
    tx.commit().await.unwrap();
    let admin = server.admin().await;
    for _ in 1..3 {
        until(
            &admin,
            "select exists (select from jobs.queue where state = 'waiting' and error is not null)",
        )
        .await;
        admin.batch_execute(HURRY).await.unwrap();
        until(
            &admin,
            "select not exists (select from jobs.queue where state = 'waiting' and run_at <= now())",
        )
        .await;
    }
    until(
        &admin,
        "select exists (select from jobs.queue where state = 'dead' and attempts = 3)",
    )
    .await;
    assert_eq!(
        one::<String>(&admin, "select error ->> 'code' from jobs.queue").await,
        "chores.tired"
    );
    assert_eq!(marks(&admin).await.len(), 3);
    let tx = at_work(&server, &org).begin().await.unwrap();
    assert!(
        tx.enqueue_with(&chore("again"), key).await.unwrap().is_some(),
        "a dead job does not hold its key"
    );
}

#[tokio::test]
async fn an_error_that_will_not_pass_is_not_tried_again() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    enqueue(&server, &org, "impossible", Manner::Hopelessly).await;
    let admin = server.admin().await;
    until(
        &admin,
        "select exists (select from jobs.queue where state = 'dead' and attempts = 1)",
    )
    .await;
    assert_eq!(
        one::<String>(&admin, "select error ->> 'code' from jobs.queue").await,
        "chores.impossible"
    );
    assert_eq!(marks(&admin).await.len(), 1);
}

#[tokio::test]
async fn a_panic_is_a_failure_like_any_other_and_the_worker_goes_on() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    enqueue(&server, &org, "panics", Manner::Panicking).await;
    let admin = server.admin().await;
    until(
        &admin,
        "select exists (select from jobs.queue where error ->> 'code' = 'internal')",
    )
    .await;
    enqueue(&server, &org, "after it", Manner::Well).await;
    admin.batch_execute(HURRY).await.unwrap();
    server.drain_jobs().await;
    let marks = marks(&admin).await;
    assert!(
        marks.contains(&("panics".to_owned(), 2)) && marks.contains(&("after it".to_owned(), 1)),
        "{marks:?}"
    );
}

#[tokio::test]
async fn a_job_that_this_server_does_not_know_is_put_aside_and_not_lost() {
    let server = idle_server().await;
    let org = server.organization("Harbour").await;
    enqueue(&server, &org, "unknown", Manner::Well).await;
    let without_jobs = || {
        let mut module = app();
        module.jobs.clear();
        module
    };
    let _other: TestServer = server
        .beside(vec![without_jobs()], TestServerOptions::default())
        .await;
    let admin = server.admin().await;
    until(
        &admin,
        "select exists (select from jobs.queue where state = 'dead')",
    )
    .await;
    assert_eq!(
        one::<String>(&admin, "select error ->> 'code' from jobs.queue").await,
        "jobs.unknown"
    );
}

#[tokio::test]
async fn many_jobs_of_many_servers_run_once_each() {
    let server = idle_server().await;
    let (harbour, yard) = (
        server.organization("Harbour").await,
        server.organization("Yard").await,
    );
    for org in [&harbour, &yard] {
        let tx = at_work(&server, org).begin().await.unwrap();
        for n in 0..60 {
            tx.enqueue(&chore(&n.to_string())).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    let one = server.beside(vec![app()], TestServerOptions::default()).await;
    let two = server.beside(vec![app()], TestServerOptions::default()).await;
    one.drain_jobs().await;
    let admin = server.admin().await;
    assert_eq!(marks(&admin).await.len(), 120);
    let sql = "select count(distinct (org_id, label)) = 120 from chores.marks";
    assert!(crate::chores::one::<bool>(&admin, sql).await);
    drop((one, two));
}
