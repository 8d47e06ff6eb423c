//! Receivers that answer badly, late, too much or not at all, and workers that die.

use serde_json::json;
use tenon_sdk::config::Config;
use tenon_testkit::{TestServer, TestServerOptions, answer};

use super::{Receiver, Reply, all_due, attempts, endpoint, near, organization, server};
use crate::{
    chores::{eventually, one, until},
    diary::{quiet, record},
};

#[tokio::test]
async fn what_is_no_success_is_tried_again_later_and_stands_in_the_log() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let elsewhere = Receiver::start(&[]).await;
    let receiver = Receiver::start(&[
        Reply::With(500, "\0 no \u{1f6a2}"),
        Reply::Header(429, "retry-after", "7200".to_owned()),
        Reply::Header(307, "location", elsewhere.url.clone()),
        Reply::Header(
            302,
            "location",
            "http://169.254.169.254/latest/meta-data".to_owned(),
        ),
        Reply::Huge(503),
        Reply::Huge(202),
    ])
    .await;
    endpoint(&org, &receiver.url, &["diary.*"]).await;
    record(&server, &org, &[("diary.written", "")]).await;
    let admin = server.admin().await;
    let waits = "select extract(epoch from next_at - now())::float8 from webhooks.deliveries";
    attempts(&admin, 1).await;
    assert!((1.0..=5.6).contains(&one::<f64>(&admin, waits).await));
    for n in 2..=6 {
        all_due(&admin).await;
        attempts(&admin, n).await;
        if n == 2 {
            let asked = one::<f64>(&admin, waits).await;
            assert!((7100.0..=7300.0).contains(&asked), "{asked}");
        }
    }
    until(
        &admin,
        "select exists (select from webhooks.deliveries where state = 'delivered' and status = 202)",
    )
    .await;
    assert!(elsewhere.got().is_empty(), "redirects are not followed");
    let got = receiver.got();
    assert!(
        got.iter()
            .all(|each| each.header("webhook-id") == got[0].header("webhook-id"))
    );
    let (_, log) = org
        .owner
        .get_json("/api/v1/webhooks/deliveries?state=delivered&event=diary.*")
        .await;
    let path = format!(
        "/api/v1/webhooks/deliveries/{}",
        log["items"][0]["id"].as_str().unwrap()
    );
    let (_, shown) = org.owner.get_json(&path).await;
    let calls = shown["calls"].as_array().unwrap();
    let codes: Vec<_> = calls
        .iter()
        .map(|call| call["status"].as_i64().unwrap())
        .collect();
    assert_eq!(codes, [500, 429, 307, 302, 503, 202]);
    assert_eq!(calls[0]["answer"], "\u{fffd} no \u{1f6a2}");
    assert_eq!(calls[4]["answer"].as_str().unwrap().len(), 2048);
    assert_eq!(
        one::<i64>(
            &admin,
            "select count(*) from webhooks.endpoints where failing_since is null"
        )
        .await,
        1
    );
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_switched_off_at_once_and_the_owners_hear_of_it() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let receiver = Receiver::start(&[Reply::With(410, "")]).await;
    let (id, _) = endpoint(&org, &receiver.url, &["diary.*"]).await;
    record(&server, &org, &[("diary.written", "")]).await;
    let admin = server.admin().await;
    until(
        &admin,
        "select exists (select from webhooks.endpoints where disabled_because = 'gone')",
    )
    .await;
    until(
        &admin,
        "select exists (select from notifications.messages where kind = 'webhooks.endpoint_disabled')",
    )
    .await;
    let mail = admin.query_one(
        "select recipient, body_text from notifications.messages where kind = 'webhooks.endpoint_disabled'",
        &[],
    );
    let mail = mail.await.unwrap();
    assert_eq!(mail.get::<_, &str>(0), org.owner.email);
    assert!(
        mail.get::<_, &str>(1)
            .contains(&format!("/o/{}/settings/webhooks", org.slug))
    );
    assert_eq!(
        one::<String>(&admin, "select state from webhooks.deliveries").await,
        "failed"
    );
    let (_, list) = org.owner.get_json("/api/v1/webhooks/endpoints").await;
    assert_eq!(
        (&list[0]["enabled"], &list[0]["disabled_because"]),
        (&json!(false), &json!("gone"))
    );
    let trail = "select count(*) from audit.entries where relation = 'webhooks.endpoints' and changes ? 'disabled_because' and action = 'update'";
    assert_eq!(one::<i64>(&admin, trail).await, 1);
    // Nothing is sent while it is off.
    record(&server, &org, &[("diary.written", "")]).await;
    let test = format!("/api/v1/webhooks/endpoints/{id}/test");
    let (status, refused) = org.owner.post_json(&test, &json!({})).await;
    assert_eq!(
        (status, &refused["code"]),
        (409, &json!("webhooks.endpoint_disabled"))
    );
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test]
async fn an_endpoint_that_takes_nothing_for_days_is_switched_off_and_what_it_missed_can_be_had_again() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let receiver = Receiver::start(&vec![Reply::With(500, ""); 50]).await;
    let (id, _) = endpoint(&org, &receiver.url, &["diary.*"]).await;
    record(
        &server,
        &org,
        &[
            ("diary.written", ""),
            ("diary.visited", ""),
            ("diary.written", ""),
        ],
    )
    .await;
    let admin = server.admin().await;
    attempts(&admin, 3).await;
    until(
        &admin,
        "select exists (select from webhooks.endpoints where failing_since is not null)",
    )
    .await;
    let long = "update webhooks.endpoints set failing_since = now() - interval '6 days'";
    admin.batch_execute(long).await.unwrap();
    all_due(&admin).await;
    until(
        &admin,
        "select exists (select from webhooks.endpoints where disabled_because = 'failing')",
    )
    .await;
    all_due(&admin).await;
    // One more call was under way at most; the rest fails unsent or waits for its time.
    until(&admin, "select exists (select from webhooks.deliveries where error = 'webhooks.endpoint_disabled' and state = 'failed')").await;
    until(
        &admin,
        "select exists (select from notifications.messages where kind = 'webhooks.endpoint_disabled')",
    )
    .await;
    let recover = format!("/api/v1/webhooks/endpoints/{id}/recover");
    let since = json!({ "since": "2020-01-01T00:00:00Z" });
    assert_eq!(org.owner.post_json(&recover, &since).await.0, 409);
    let on = org.owner.request(
        reqwest::Method::PATCH,
        &format!("/api/v1/webhooks/endpoints/{id}"),
    );
    assert_eq!(answer(on.json(&json!({ "enabled": true }))).await.0, 204);
    receiver.state().replies.clear();
    let (status, recovered) = org.owner.post_json(&recover, &since).await;
    assert_eq!(status, 200, "{recovered}");
    assert!(recovered["deliveries"].as_u64().unwrap() >= 1, "{recovered}");
    all_due(&admin).await;
    until(
        &admin,
        "select not exists (select from webhooks.deliveries where state <> 'delivered')",
    )
    .await;
    let later = json!({ "since": "2999-01-01T00:00:00Z" });
    assert_eq!(
        org.owner.post_json(&recover, &later).await.1,
        json!({ "deliveries": 0 })
    );
    let failing =
        "select count(*) from webhooks.endpoints where failing_since is not null or disabled_at is not null";
    assert_eq!(one::<i64>(&admin, failing).await, 0);
}

fn impatient(config: &mut Config) {
    near(config);
    config.webhooks.timeout_seconds = 2;
    config.jobs.workers = 1;
}

#[tokio::test]
async fn endpoints_that_hang_hold_up_nobody_else() {
    let server = TestServer::configured(vec![quiet()], impatient).await;
    let (org, other) = (
        organization(&server, "Harbour").await,
        organization(&server, "Yard").await,
    );
    let hanging = Receiver::start(&vec![Reply::Never; 500]).await;
    let (well, theirs) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    for _ in 0..5 {
        endpoint(&org, &hanging.url, &["diary.*"]).await;
    }
    endpoint(&org, &well.url, &["diary.*"]).await;
    endpoint(&other, &theirs.url, &["diary.*"]).await;
    record(&server, &org, &[("diary.written", ""); 20]).await;
    record(&server, &other, &[("diary.written", ""); 20]).await;
    eventually("the others are told", async || {
        well.got().len() == 20 && theirs.got().len() == 20
    })
    .await;
    let admin = server.admin().await;
    assert!(
        one::<i64>(
            &admin,
            "select count(*) from webhooks.deliveries where state = 'pending'"
        )
        .await
            >= 90
    );
    until(
        &admin,
        "select exists (select from webhooks.deliveries where error = 'outbound.timeout' and tries = 1)",
    )
    .await;
    assert!(hanging.state().most_at_once <= 10, "two for each endpoint");
    assert!(well.state().most_at_once <= 2);
}

#[tokio::test]
async fn a_worker_that_dies_between_the_call_and_the_commit_calls_again_with_the_same_id() {
    let dying = server().await;
    let org = organization(&dying, "Harbour").await;
    let receiver = Receiver::start(&[]).await;
    endpoint(&org, &receiver.url, &["diary.*"]).await;
    let (admin, holder) = (dying.admin().await, dying.admin().await);
    let hold = "begin; select from webhooks.endpoints for no key update";
    holder.batch_execute(hold).await.unwrap();
    record(&dying, &org, &[("diary.written", "")]).await;
    eventually("it is told", async || receiver.got().len() == 1).await;
    until(&admin, "select exists (select from pg_locks where not granted)").await;
    assert_eq!(
        one::<i64>(&admin, "select count(*) from webhooks.attempts").await,
        0
    );
    let options = TestServerOptions {
        config: Some(near),
        no_workers: true,
        ..TestServerOptions::default()
    };
    let idle = dying.beside(vec![quiet()], options).await;
    drop(dying);
    until(
        &admin,
        "select not exists (select from pg_locks where not granted)",
    )
    .await;
    holder.batch_execute("rollback").await.unwrap();
    let options = TestServerOptions {
        config: Some(near),
        ..TestServerOptions::default()
    };
    let _survivor = idle.beside(vec![quiet()], options).await;
    until(
        &admin,
        "select exists (select from webhooks.deliveries where state = 'delivered' and attempts = 1)",
    )
    .await;
    let got = receiver.got();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
    assert_eq!(got[0].body, got[1].body);
}

#[tokio::test]
async fn an_endpoint_that_is_deleted_takes_what_waits_for_it_along() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let receiver = Receiver::start(&[Reply::With(500, "")]).await;
    let (id, _) = endpoint(&org, &receiver.url, &["diary.*"]).await;
    record(&server, &org, &[("diary.written", "")]).await;
    let admin = server.admin().await;
    attempts(&admin, 1).await;
    let gone = org.owner.request(
        reqwest::Method::DELETE,
        &format!("/api/v1/webhooks/endpoints/{id}"),
    );
    assert_eq!(answer(gone).await.0, 204);
    all_due(&admin).await;
    until(
        &admin,
        "select not exists (select from jobs.queue where name = 'webhooks.deliver')",
    )
    .await;
    for table in ["endpoints", "secrets", "deliveries", "attempts"] {
        assert_eq!(
            one::<i64>(&admin, &format!("select count(*) from webhooks.{table}")).await,
            0,
            "{table}"
        );
    }
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test]
async fn nothing_is_sent_unsigned() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let receiver = Receiver::start(&[]).await;
    endpoint(&org, &receiver.url, &["diary.*"]).await;
    let admin = server.admin().await;
    admin.batch_execute("delete from webhooks.secrets").await.unwrap();
    record(&server, &org, &[("diary.written", "")]).await;
    let failed = "select exists (select from jobs.queue where name = 'webhooks.deliver' and error ->> 'code' = 'internal')";
    until(&admin, failed).await;
    assert!(receiver.got().is_empty());
    assert_eq!(
        one::<i64>(&admin, "select count(*) from webhooks.attempts").await,
        0
    );
}
