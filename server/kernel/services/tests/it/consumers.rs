//! Consumers of events: each event once, in its organisation's order, whatever dies or fails.

use serde_json::json;
use tenon_sdk::events::Consumer;
use tenon_services::events;
use tenon_testkit::{TestOrg, TestServer, TestServerOptions, answer};
use tokio_postgres::Client;

use crate::{
    chores::{at_work, eventually, one, until},
    diary::{GATE, Keeper, Porter, app, entries, numbers, quiet, record},
    job_crashes::{Worker, work_in_process},
};

async fn idle() -> TestServer {
    let options = TestServerOptions {
        no_workers: true,
        ..TestServerOptions::default()
    };
    TestServer::start_with(vec![app()], options).await
}

/// Waits until a consumer has written down all events of its kinds.
async fn caught_up(admin: &Client, org: &TestOrg, consumer: &str, kinds: &str) {
    let wanted = numbers(admin, org, kinds).await;
    eventually("the consumer has caught up", async || {
        entries(admin, org, consumer).await.len() >= wanted.len()
    })
    .await;
    assert_eq!(entries(admin, org, consumer).await, wanted);
}

/// No test: what the tests here start and kill.
#[tokio::test]
#[ignore = "a process that tests start"]
async fn a_consumer_of_its_own() {
    work_in_process(app()).await;
}

#[tokio::test]
async fn each_event_comes_once_and_in_its_organisations_order_however_many_servers_hand_them_out() {
    let first = TestServer::start(vec![app()]).await;
    let _second = first.beside(vec![app()], TestServerOptions::default()).await;
    let orgs = [
        first.organization("Harbour").await,
        first.organization("Yard").await,
    ];
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..60 {
        let ctx = at_work(&first, &orgs[n % 2]);
        writers.spawn(async move {
            let tx = ctx.begin().await.unwrap();
            let event = |kind| tenon_sdk::events::Event::new(kind, tx.env().new_id(), json!({ "n": n }));
            let all = ["diary.written", "other.done", "diary.visited"].map(event);
            tx.emit_all(&all).await.unwrap();
            if n % 5 == 0 {
                tx.rollback().await.unwrap();
            } else {
                tx.commit().await.unwrap();
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let admin = first.admin().await;
    for org in &orgs {
        caught_up(&admin, org, Keeper::NAME, "diary.%").await;
        caught_up(&admin, org, Porter::NAME, "diary.visited").await;
        let by: Option<uuid::Uuid> = admin
            .query_one(
                "select max(actor::text)::uuid from diary.entries where org_id = $1",
                &[&org.id],
            )
            .await
            .unwrap()
            .get(0);
        assert_eq!(by, Some(org.owner.id.0));
    }
}

#[tokio::test]
async fn a_worker_that_is_killed_between_its_work_and_the_commit_has_done_nothing() {
    let server = idle().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    admin
        .execute("select pg_advisory_lock($1)", &[&GATE])
        .await
        .unwrap();
    record(
        &server,
        &org,
        &[("diary.written", ""), ("diary.written", "held up")],
    )
    .await;
    let worker = Worker::start_as("consumers::a_consumer_of_its_own", &server, 1);
    let waiting = "select exists (select from pg_locks where locktype = 'advisory' and not granted)";
    until(&admin, waiting).await;
    worker.kill();
    admin
        .execute("select pg_advisory_unlock($1)", &[&GATE])
        .await
        .unwrap();
    let over = "select not exists (select from pg_locks where locktype = 'advisory' and database = \
        (select oid from pg_database where datname = current_database()))";
    until(&admin, over).await;
    assert!(entries(&admin, &org, Keeper::NAME).await.is_empty());
    let _next = Worker::start_as("consumers::a_consumer_of_its_own", &server, 1);
    caught_up(&admin, &org, Keeper::NAME, "diary.%").await;
}

#[tokio::test]
async fn workers_that_are_killed_again_and_again_leave_each_event_written_down_once() {
    let server = idle().await;
    let orgs = [
        server.organization("Harbour").await,
        server.organization("Yard").await,
    ];
    for org in &orgs {
        for _ in 0..30 {
            record(&server, org, &[("diary.written", ""); 10]).await;
        }
    }
    let admin = server.admin().await;
    for n in [20, 150, 300] {
        let worker = Worker::start_as("consumers::a_consumer_of_its_own", &server, 2);
        until(&admin, &format!("select count(*) >= {n} from diary.entries")).await;
        worker.kill();
    }
    let _last = [(); 2].map(|()| Worker::start_as("consumers::a_consumer_of_its_own", &server, 2));
    for org in &orgs {
        caught_up(&admin, org, Keeper::NAME, "diary.%").await;
    }
}

#[tokio::test]
async fn an_event_that_fails_holds_up_its_own_organisation_and_consumer_and_is_put_aside_in_the_end() {
    let server = TestServer::start(vec![app()]).await;
    let (org, other) = (
        server.organization("Harbour").await,
        server.organization("Yard").await,
    );
    let events = [
        ("diary.visited", ""),
        ("diary.visited", "badly"),
        ("diary.written", "panicking"),
        ("diary.written", "wrong"),
        ("diary.visited", ""),
    ];
    record(&server, &org, &events).await;
    record(&server, &other, &[("diary.written", "")]).await;
    let admin = server.admin().await;
    caught_up(&admin, &other, Keeper::NAME, "diary.%").await;
    caught_up(&admin, &org, Porter::NAME, "diary.visited").await;
    until(&admin, "select count(*) = 3 from events.aside").await;
    let all = numbers(&admin, &org, "diary.%").await;
    eventually("the last one is written down", async || {
        entries(&admin, &org, Keeper::NAME).await == [all[0], all[4]]
    })
    .await;
    let (status, places) = org.owner.get_json("/api/v1/events/consumers").await;
    assert_eq!(status, 200, "{places}");
    let keeper = places
        .as_array()
        .unwrap()
        .iter()
        .find(|place| place["consumer"] == Keeper::NAME)
        .unwrap();
    assert_eq!(
        (&keeper["aside"], &keeper["behind"], &keeper["error"]),
        (&json!(3), &json!(0), &json!(null))
    );
    let aside = keeper["events"].as_array().unwrap();
    let codes: Vec<_> = aside
        .iter()
        .map(|event| {
            (
                event["seq"].clone(),
                event["error"]["code"].clone(),
                event["attempts"].clone(),
            )
        })
        .collect();
    assert_eq!(
        codes,
        [
            (json!(all[1]), json!("diary.illegible"), json!(3)),
            (json!(all[2]), json!("internal"), json!(3)),
            // The transaction was over before the consumer said it was well.
            (json!(all[3]), json!("25P02"), json!(3)),
        ]
    );
}

#[tokio::test]
async fn what_was_put_aside_is_tried_again_or_dropped_by_who_may_and_nobody_else() {
    let server = TestServer::start(vec![app()]).await;
    let (org, other) = (
        server.organization("Harbour").await,
        server.organization("Yard").await,
    );
    record(
        &server,
        &org,
        &[
            ("diary.written", "badly"),
            ("diary.written", "badly"),
            ("diary.written", ""),
        ],
    )
    .await;
    let admin = server.admin().await;
    until(&admin, "select count(*) = 2 from events.aside").await;
    caught_up_but(&admin, &org, 2).await;
    let ids: Vec<String> = admin
        .query("select id::text from events.aside order by seq", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let retry = |id: &str| format!("/api/v1/events/aside/{id}/retry");
    let member = server.member(&org, tenon_sdk::permission::Role::Manager).await;
    assert_eq!(member.post_json(&retry(&ids[0]), &json!({})).await.0, 403);
    for (caller, path) in [
        (&other.owner, retry(&ids[0])),
        (&org.owner, retry(&other.id.to_string())),
    ] {
        let (status, body) = caller.post_json(&path, &json!({})).await;
        assert_eq!((status, &body["code"]), (404, &json!("events.aside_not_found")));
    }
    // It is as bad as before.
    assert_eq!(org.owner.post_json(&retry(&ids[0]), &json!({})).await.0, 204);
    until(
        &admin,
        "select exists (select from events.aside where attempts = 4 and retry_at is null)",
    )
    .await;
    admin
        .batch_execute("insert into diary.cures select org_id, seq from events.aside")
        .await
        .unwrap();
    assert_eq!(org.owner.post_json(&retry(&ids[0]), &json!({})).await.0, 204);
    until(&admin, "select count(*) = 1 from events.aside").await;
    let all = numbers(&admin, &org, "diary.%").await;
    assert_eq!(entries(&admin, &org, Keeper::NAME).await, [all[2], all[0]]);
    let path = format!("/api/v1/events/aside/{}", ids[1]);
    assert_eq!(
        answer(other.owner.request(reqwest::Method::DELETE, &path))
            .await
            .0,
        404
    );
    assert_eq!(
        answer(org.owner.request(reqwest::Method::DELETE, &path)).await.0,
        204
    );
    assert_eq!(one::<i64>(&admin, "select count(*) from events.aside").await, 0);
    let noted: i64 = one(
        &admin,
        "select count(*) from audit.entries where action like 'events.aside.%'",
    )
    .await;
    assert_eq!(noted, 3);
    let (_, places) = other.owner.get_json("/api/v1/events/consumers").await;
    assert!(places.as_array().unwrap().iter().all(|place| place["aside"] == 0));
}

/// Waits until all but so many events are written down.
async fn caught_up_but(admin: &Client, org: &TestOrg, missing: usize) {
    let all = numbers(admin, org, "diary.%").await.len();
    eventually("the rest is written down", async || {
        entries(admin, org, Keeper::NAME).await.len() == all - missing
    })
    .await;
}

#[tokio::test]
async fn an_event_that_is_tried_again_later_keeps_the_order() {
    let options = TestServerOptions {
        no_workers: true,
        ..TestServerOptions::default()
    };
    let server = TestServer::start_with(vec![app()], options).await;
    // What fails is the first that the consumer meets in the organisation.
    let org = server.organization("Harbour").await;
    record(
        &server,
        &org,
        &[("diary.written", "badly"), ("diary.written", "")],
    )
    .await;
    let _works = server.beside(vec![app()], TestServerOptions::default()).await;
    let admin = server.admin().await;
    let seen = "select exists (select from events.cursors where attempts >= 1 and next_at > now() and error ->> 'code' = 'diary.illegible')";
    until(&admin, seen).await;
    let cure =
        "insert into diary.cures select org_id, seq from events.outbox where payload ->> 'manner' = 'badly'";
    admin.batch_execute(cure).await.unwrap();
    caught_up(&admin, &org, Keeper::NAME, "diary.%").await;
    assert_eq!(one::<i64>(&admin, "select count(*) from events.aside").await, 0);
}

#[tokio::test]
async fn a_new_consumer_begins_now_or_with_the_oldest_event_as_it_says() {
    let options = TestServerOptions {
        no_workers: true,
        ..TestServerOptions::default()
    };
    let before = TestServer::start_with(vec![quiet()], options).await;
    let org = before.organization("Harbour").await;
    record(&before, &org, &[("diary.visited", ""), ("diary.written", "")]).await;
    let _after = before.beside(vec![app()], TestServerOptions::default()).await;
    let later = before.organization("Yard").await;
    record(&before, &org, &[("diary.visited", "")]).await;
    record(&before, &later, &[("diary.visited", "")]).await;
    let admin = before.admin().await;
    caught_up(&admin, &org, Porter::NAME, "diary.visited").await;
    caught_up(&admin, &later, Keeper::NAME, "diary.%").await;
    let visits = numbers(&admin, &org, "diary.visited").await;
    eventually("what came since is written down", async || {
        entries(&admin, &org, Keeper::NAME).await == visits[1..]
    })
    .await;
    // Whoever declares it again changes nothing.
    let _again = before.beside(vec![app()], TestServerOptions::default()).await;
    record(&before, &org, &[("diary.written", "")]).await;
    eventually("it goes on where it stood", async || {
        entries(&admin, &org, Keeper::NAME).await.len() == 2
    })
    .await;
}

#[tokio::test]
async fn a_consumer_passes_thousands_of_events_that_are_not_its_own() {
    let server = TestServer::start(vec![app()]).await;
    let org = server.organization("Harbour").await;
    for _ in 0..3 {
        record(&server, &org, &vec![("other.done", ""); 900]).await;
    }
    record(&server, &org, &[("diary.visited", "")]).await;
    let admin = server.admin().await;
    caught_up(&admin, &org, Porter::NAME, "diary.visited").await;
    let behind = "select not exists (select from events.cursors c join events.sequences s using (org_id) where c.seq <> s.last)";
    until(&admin, behind).await;
}

#[tokio::test]
async fn events_go_when_they_are_old_and_every_consumer_has_had_them() {
    let server = idle().await;
    let org = server.organization("Harbour").await;
    record(&server, &org, &vec![("diary.written", ""); 2500]).await;
    let admin = server.admin().await;
    let count = "select count(*) from events.outbox";
    let all: i64 = one(&admin, count).await;
    let old = "update events.outbox set at = now() - interval '31 days' where seq <= 2400";
    admin.batch_execute(old).await.unwrap();
    assert_eq!(
        events::retire(server.kernel()).await.unwrap(),
        0,
        "nobody has had them"
    );
    let place = |consumer: &str, seq: i64| {
        format!(
            "insert into events.cursors (org_id, consumer, seq) values ('{}', '{consumer}', {seq}) \
            on conflict (org_id, consumer) do update set seq = excluded.seq",
            org.id
        )
    };
    admin.batch_execute(&place(Keeper::NAME, all)).await.unwrap();
    admin.batch_execute(&place(Porter::NAME, 1100)).await.unwrap();
    let others = "insert into events.cursors (org_id, consumer, seq) select s.org_id, c.name, s.last from events.sequences s \
        cross join events.consumers c where c.name not like 'diary.%' on conflict (org_id, consumer) do update set seq = excluded.seq";
    admin.batch_execute(others).await.unwrap();
    assert_eq!(events::retire(server.kernel()).await.unwrap(), 1100);
    let gone = "update events.consumers set seen_at = now() - interval '8 days' where name = 'diary.porter'";
    admin.batch_execute(gone).await.unwrap();
    assert_eq!(
        events::retire(server.kernel()).await.unwrap(),
        1300,
        "nobody is waited for who is not there any more"
    );
    assert_eq!(one::<i64>(&admin, count).await, all - 2400, "what is young stays");
}

#[tokio::test]
async fn an_organisation_whose_time_is_over_is_handed_nothing() {
    let server = idle().await;
    let org = server.organization("Harbour").await;
    let other = server.organization("Yard").await;
    record(&server, &org, &[("diary.written", "")]).await;
    record(&server, &other, &[("diary.written", "")]).await;
    let admin = server.admin().await;
    let sql = "update tenancy.organizations set delete_after = now() - interval '1 minute' where id = $1";
    admin.execute(sql, &[&org.id]).await.unwrap();
    let _worker = server.beside(vec![app()], TestServerOptions::default()).await;
    caught_up(&admin, &other, Keeper::NAME, "diary.%").await;
    assert!(entries(&admin, &org, Keeper::NAME).await.is_empty());
    assert_eq!(one::<i64>(&admin, "select count(*) from events.aside").await, 0);
}
