//! Limits of jobs, turns of organisations, pauses that a far end asks for, and how long the past is kept.

use std::time::Duration;

use tenon_sdk::db::{EnqueueOptions, JobLimit};
use tenon_testkit::TestServerOptions;

use crate::chores::{Chore, Manner, app, at_work, enqueue, idle_server, marks, one, server, until};

fn chore(label: &str, manner: Manner) -> Chore {
    Chore {
        label: label.to_owned(),
        manner,
    }
}

fn limited(key: &str, concurrent: Option<i32>, rate: Option<(i32, Duration)>) -> EnqueueOptions {
    let limit = JobLimit {
        key: key.to_owned(),
        concurrent,
        rate,
    };
    EnqueueOptions {
        limit: Some(limit),
        ..EnqueueOptions::default()
    }
}

#[tokio::test]
async fn many_jobs_are_enqueued_at_once_and_taken_keys_are_named() {
    let server = idle_server().await;
    let org = server.organization("Harbour").await;
    let jobs: Vec<Chore> = (0..6000).map(|n| chore(&n.to_string(), Manner::Well)).collect();
    let each: Vec<_> = jobs
        .iter()
        .enumerate()
        .map(|(n, job)| {
            let options = EnqueueOptions {
                unique_key: Some((n / 2).to_string()),
                ..EnqueueOptions::default()
            };
            (job, options)
        })
        .collect();
    let tx = at_work(&server, &org).begin().await.unwrap();
    let made = tx.enqueue_all(&each).await.unwrap();
    assert!(tx.enqueue_all::<Chore>(&[]).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!((made.len(), made.iter().flatten().count()), (6000, 3000));
    assert!(made.iter().step_by(2).all(Option::is_some));
    let admin = server.admin().await;
    let sql = "select count(*) from jobs.queue where state = 'ready' and payload ->> 'label' = (2 * unique_key::int)::text";
    assert_eq!(one::<i64>(&admin, sql).await, 3000);
}

#[tokio::test]
async fn no_more_jobs_of_a_key_run_at_a_time_than_its_limit_says() {
    let server = idle_server().await;
    let org = server.organization("Harbour").await;
    let tx = at_work(&server, &org).begin().await.unwrap();
    for n in 0..12 {
        let job = chore(&n.to_string(), Manner::Slowly(30));
        tx.enqueue_with(&job, limited("a far end", Some(2), None))
            .await
            .unwrap();
    }
    let free = chore("free", Manner::Well);
    tx.enqueue(&free).await.unwrap();
    tx.commit().await.unwrap();
    let admin = server.admin().await;
    admin
        .batch_execute(
            "create table public.seen (n int); \
             create function public.look() returns trigger language plpgsql security definer as $$ begin \
             insert into public.seen select count(*) from jobs.queue where state = 'running' and limit_key is not null; \
             return new; end $$; \
             create trigger look after insert on chores.marks for each row execute function public.look()",
        )
        .await
        .unwrap();
    let options = || TestServerOptions {
        config: Some(|config| config.jobs.workers = 8),
        ..TestServerOptions::default()
    };
    let one_of_two = server.beside(vec![app()], options()).await;
    let _two = server.beside(vec![app()], options()).await;
    one_of_two.drain_jobs().await;
    assert_eq!(marks(&admin).await.len(), 13);
    assert!(one::<i32>(&admin, "select max(n) from public.seen").await <= 2);
}

#[tokio::test]
async fn no_more_jobs_of_a_key_start_in_a_while_than_its_limit_says() {
    let server = idle_server().await;
    let org = server.organization("Harbour").await;
    let tx = at_work(&server, &org).begin().await.unwrap();
    let jobs: Vec<Chore> = (0..7).map(|n| chore(&n.to_string(), Manner::Well)).collect();
    let slow = limited("k", None, Some((3, Duration::from_hours(1))));
    let each: Vec<_> = jobs.iter().map(|job| (job, slow.clone())).collect();
    tx.enqueue_all(&each).await.unwrap();
    tx.commit().await.unwrap();
    let worker = server.beside(vec![app()], TestServerOptions::default()).await;
    let admin = server.admin().await;
    until(&admin, "select count(*) = 3 from jobs.history").await;
    until(&admin, "select count(*) = 4 from jobs.queue where state = 'held'").await;
    // An hour and twenty minutes later there is room for three more, and not for four; the clock that was set back gives nothing.
    for (since, done) in [
        ("interval '80 minutes'", 6),
        ("interval '-3 hours'", 6),
        ("interval '20 minutes'", 7),
    ] {
        let wake = format!("update jobs.limits set filled_at = now() - {since}; notify tenon_jobs");
        admin.batch_execute(&wake).await.unwrap();
        until(&admin, &format!("select count(*) = {done} from jobs.history")).await;
        until(
            &admin,
            "select abs(extract(epoch from now() - filled_at)) < 60 from jobs.limits",
        )
        .await;
        assert_eq!(
            one::<i64>(&admin, "select count(*) from jobs.history").await,
            done
        );
    }
    drop(worker);
}

#[tokio::test]
async fn a_burst_of_one_organisation_does_not_hold_up_another() {
    let server = idle_server().await;
    let (burst, quiet) = (
        server.organization("Burst").await,
        server.organization("Quiet").await,
    );
    let jobs: Vec<Chore> = (0..2000).map(|n| chore(&n.to_string(), Manner::Well)).collect();
    let each: Vec<_> = jobs.iter().map(|job| (job, EnqueueOptions::default())).collect();
    let tx = at_work(&server, &burst).begin().await.unwrap();
    tx.enqueue_all(&each).await.unwrap();
    tx.commit().await.unwrap();
    enqueue(&server, &quiet, "quiet", Manner::Well).await;
    let worker = server.beside(vec![app()], TestServerOptions::default()).await;
    let admin = server.admin().await;
    until(
        &admin,
        "select exists (select from chores.marks where label = 'quiet')",
    )
    .await;
    let before =
        "select count(*) from chores.marks where at < (select at from chores.marks where label = 'quiet')";
    let before: i64 = one(&admin, before).await;
    assert!(before < 700, "{before} jobs of the burst went before it");
    worker.drain_jobs().await;
    assert_eq!(marks(&admin).await.len(), 2001);
}

#[tokio::test]
async fn a_job_comes_back_when_the_far_end_said_and_not_before() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    enqueue(&server, &org, "told to wait", Manner::NotBefore(3000)).await;
    let admin = server.admin().await;
    until(
        &admin,
        "select exists (select from jobs.queue where state = 'waiting' and attempts = 1)",
    )
    .await;
    let sql = "select extract(epoch from run_at - now())::float8 from jobs.queue";
    let pause: f64 = one(&admin, sql).await;
    assert!((2900.0..=3011.0).contains(&pause), "{pause}");
    let hurry = "update jobs.queue set run_at = now(); notify tenon_jobs";
    admin.batch_execute(hurry).await.unwrap();
    server.drain_jobs().await;
    assert_eq!(marks(&admin).await.len(), 2);
}

#[tokio::test]
async fn an_error_in_words_that_the_database_cannot_hold_holds_nothing_up() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    enqueue(&server, &org, "odd", Manner::Oddly).await;
    let admin = server.admin().await;
    until(
        &admin,
        "select exists (select from jobs.queue where error ->> 'code' = 'chores.odd')",
    )
    .await;
    admin
        .batch_execute("update jobs.queue set run_at = now(); notify tenon_jobs")
        .await
        .unwrap();
    server.drain_jobs().await;
    assert_eq!(marks(&admin).await.len(), 2);
}

#[tokio::test]
async fn what_is_over_is_kept_by_the_week_and_dropped_by_the_week() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    let old = format!(
        "select jobs.keep_history(30, now() - interval '90 days'); \
         insert into jobs.history (id, org_id, name, attempts, created_at, finished_at) \
         select gen_random_uuid(), '{}', 'old', 1, now(), now() - n * interval '10 days' from generate_series(1, 8) n",
        org.id.0
    );
    admin
        .batch_execute("begin; set local lock_timeout = '10s'")
        .await
        .unwrap();
    let kept = |days: i32| format!("select jobs.keep_history({days})");
    // Weeks as old as that are made and dropped by one call, so they are made here by keeping long.
    admin.batch_execute(&old.replace("(30,", "(4000,")).await.unwrap();
    admin.batch_execute("commit").await.unwrap();
    let weeks = "select count(*) from pg_inherits where inhparent = 'jobs.history'::regclass";
    assert!(one::<i64>(&admin, weeks).await >= 15);
    assert!(one::<i32>(&admin, &kept(30)).await >= 7);
    assert_eq!(one::<i32>(&admin, &kept(30)).await, 0);
    let left: i64 = one(&admin, "select count(*) from jobs.history where name = 'old'").await;
    assert!((2..=4).contains(&left), "{left}");
    let young = "select bool_and(finished_at > now() - interval '38 days') from jobs.history";
    assert!(one::<bool>(&admin, young).await);
}
