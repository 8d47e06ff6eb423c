//! Jobs that come again: by whom they are enqueued, what becomes of times that were missed, and of the one before that is not over.

use tenon_sdk::schedule::{Missed, Overlap, Schedule};
use tenon_services::jobs;
use tenon_testkit::{TestOrg, TestServer, TestServerOptions};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::chores::{Chore, Manner, app, at_work, idle_server, one, until};

/// Once an hour, half an hour from now.
async fn half_an_hour_away(admin: &Client) -> String {
    let minute: i32 = one(
        admin,
        "select extract(minute from now() + interval '30 minutes')::int",
    )
    .await;
    format!("{minute} * * * *")
}

fn schedule(cron: &str, overlap: Overlap, missed: Missed) -> Schedule {
    Schedule {
        cron: cron.to_owned(),
        zone: "Europe/Berlin".to_owned(),
        overlap,
        missed,
    }
}

async fn put(server: &TestServer, org: &TestOrg, name: &str, schedule: &Schedule) -> Uuid {
    let tx = at_work(server, org).begin().await.unwrap();
    let chore = Chore {
        label: name.to_owned(),
        manner: Manner::Well,
    };
    let id = tx.schedule(name, &chore, schedule).await.unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test]
async fn times_that_were_missed_are_left_out_made_up_for_once_or_each_by_one_of_many_workers() {
    let server = idle_server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    let cron = half_an_hour_away(&admin).await;
    for (name, missed) in [
        ("skip", Missed::Skip),
        ("once", Missed::Once),
        ("all", Missed::All),
    ] {
        put(&server, &org, name, &schedule(&cron, Overlap::Allow, missed)).await;
    }
    admin
        .batch_execute("update jobs.schedules set next_at = now() - interval '5 hours'")
        .await
        .unwrap();
    let one_of_two = server.beside(vec![app()], TestServerOptions::default()).await;
    let _two = server.beside(vec![app()], TestServerOptions::default()).await;
    until(&admin, "select bool_and(next_at > now()) from jobs.schedules").await;
    one_of_two.drain_jobs().await;
    for (name, times) in [("skip", 0_i64), ("once", 1), ("all", 5)] {
        let sql = format!("select count(*) from chores.marks where label = '{name}'");
        assert_eq!(one::<i64>(&admin, &sql).await, times, "{name}");
    }
    let next = "select bool_and(next_at <= now() + interval '31 minutes') from jobs.schedules";
    assert!(one::<bool>(&admin, next).await);
    let by = "select bool_and(by is not null) from chores.marks";
    assert!(
        one::<bool>(&admin, by).await,
        "they work for the one who made the schedule"
    );
}

#[tokio::test]
async fn a_year_of_missed_seconds_is_a_hundred_jobs() {
    let server = idle_server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    put(
        &server,
        &org,
        "seconds",
        &schedule("* * * * * *", Overlap::Allow, Missed::All),
    )
    .await;
    admin
        .batch_execute("update jobs.schedules set next_at = now() - interval '1 year'")
        .await
        .unwrap();
    let worker = server.beside(vec![app()], TestServerOptions::default()).await;
    until(&admin, "select count(*) >= 100 from chores.marks").await;
    let id: Uuid = one(&admin, "select id from jobs.schedules").await;
    jobs::pause(worker.kernel(), Some(org.id), org.owner.id, id, true)
        .await
        .unwrap();
    worker.drain_jobs().await;
    assert!(one::<i64>(&admin, "select count(*) from chores.marks").await < 200);
}

#[tokio::test]
async fn what_is_due_while_the_one_before_is_not_over_is_left_out_queued_or_begun_beside_it() {
    let server = idle_server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    let (kernel, by) = (server.kernel(), org.owner.id);
    for (overlap, made) in [(Overlap::Skip, 1), (Overlap::Queue, 3), (Overlap::Allow, 3)] {
        let id = put(
            &server,
            &org,
            overlap.as_str(),
            &schedule("0 3 * * *", overlap, Missed::Once),
        )
        .await;
        let mut jobs = 0;
        for _ in 0..3 {
            jobs += usize::from(
                jobs::run_now(kernel, Some(org.id), by, id)
                    .await
                    .unwrap()
                    .is_some(),
            );
        }
        assert_eq!(jobs, made, "{overlap:?}");
        let sql = format!(
            "select count(*) from jobs.queue where payload ->> 'label' = '{}' and (limit_key is not null) = {}",
            overlap.as_str(),
            overlap == Overlap::Queue
        );
        assert_eq!(one::<i64>(&admin, &sql).await, i64::try_from(made).unwrap());
    }
    let concurrent = "select concurrent from jobs.limits";
    assert_eq!(one::<i32>(&admin, concurrent).await, 1);
    let worker = server.beside(vec![app()], TestServerOptions::default()).await;
    worker.drain_jobs().await;
    assert_eq!(one::<i64>(&admin, "select count(*) from chores.marks").await, 7);
}

#[tokio::test]
async fn a_schedule_that_rests_enqueues_nothing_and_goes_on_from_then() {
    let server = idle_server().await;
    let (org, other) = (
        server.organization("Harbour").await,
        server.organization("Yard").await,
    );
    let admin = server.admin().await;
    let cron = half_an_hour_away(&admin).await;
    let id = put(
        &server,
        &org,
        "rests",
        &schedule(&cron, Overlap::Allow, Missed::All),
    )
    .await;
    let (kernel, by) = (server.kernel(), org.owner.id);
    for (org, id) in [(other.id, id), (org.id, Uuid::nil())] {
        let refused = jobs::pause(kernel, Some(org), by, id, true).await.unwrap_err();
        assert_eq!(refused.code, "jobs.schedule_not_found");
        let refused = jobs::run_now(kernel, Some(org), by, id).await.unwrap_err();
        assert_eq!(refused.code, "jobs.schedule_not_found");
    }
    jobs::pause(kernel, Some(org.id), by, id, true).await.unwrap();
    admin
        .batch_execute("update jobs.schedules set next_at = now() - interval '5 hours'")
        .await
        .unwrap();
    let worker = server.beside(vec![app()], TestServerOptions::default()).await;
    let awake = put(
        &server,
        &org,
        "awake",
        &schedule(&cron, Overlap::Allow, Missed::All),
    )
    .await;
    until(
        &admin,
        &format!("select coalesce(next_at > now(), false) from jobs.schedules where id = '{awake}'"),
    )
    .await;
    worker.drain_jobs().await;
    jobs::pause(kernel, Some(org.id), by, id, false).await.unwrap();
    until(
        &admin,
        &format!("select coalesce(next_at > now(), false) from jobs.schedules where id = '{id}'"),
    )
    .await;
    worker.drain_jobs().await;
    assert_eq!(one::<i64>(&admin, "select count(*) from chores.marks").await, 0);
}

#[tokio::test]
async fn a_schedule_is_put_anew_under_its_name_and_refused_when_nobody_can_read_it() {
    let server = idle_server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    let first = put(
        &server,
        &org,
        "name",
        &schedule("0 3 * * *", Overlap::Skip, Missed::Once),
    )
    .await;
    let again = put(
        &server,
        &org,
        "name",
        &schedule("0 4 * * *", Overlap::Skip, Missed::Once),
    )
    .await;
    assert_eq!(first, again);
    assert_eq!(
        one::<String>(&admin, "select cron from jobs.schedules").await,
        "0 4 * * *"
    );
    let tx = at_work(&server, &org).begin().await.unwrap();
    let chore = Chore {
        label: String::new(),
        manner: Manner::Well,
    };
    let nonsense = schedule("every now and then", Overlap::Skip, Missed::Once);
    let refused = tx.schedule("other", &chore, &nonsense).await.unwrap_err();
    assert_eq!(refused.code, "jobs.schedule_invalid");
    assert!(tx.unschedule("name").await.unwrap() && !tx.unschedule("name").await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(one::<i64>(&admin, "select count(*) from jobs.schedules").await, 0);
}
