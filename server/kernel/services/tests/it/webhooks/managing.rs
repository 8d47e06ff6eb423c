//! Who may manage endpoints, what they may be, and how long their log is kept.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::{config::Config, permission::Role};
use tenon_services::jobs;
use tenon_testkit::{TestServer, answer};

use super::{Receiver, attempts, endpoint, near, organization, server};
use crate::{
    chores::{one, until},
    diary::{quiet, record},
};

#[tokio::test]
async fn nobody_else_sees_or_touches_an_endpoint_or_its_log() {
    let server = server().await;
    let (org, other) = (
        organization(&server, "Harbour").await,
        organization(&server, "Yard").await,
    );
    let receiver = Receiver::start(&[]).await;
    let (id, _) = endpoint(&org, &receiver.url, &["diary.*"]).await;
    record(&server, &org, &[("diary.written", "")]).await;
    let admin = server.admin().await;
    until(
        &admin,
        "select exists (select from webhooks.deliveries where state = 'delivered')",
    )
    .await;
    let delivery: String = one(&admin, "select id::text from webhooks.deliveries").await;
    let calls = [
        (
            Method::PATCH,
            format!("endpoints/{id}"),
            json!({ "enabled": false }),
        ),
        (Method::DELETE, format!("endpoints/{id}"), json!({})),
        (Method::POST, format!("endpoints/{id}/rotate"), json!({})),
        (Method::POST, format!("endpoints/{id}/test"), json!({})),
        (
            Method::POST,
            format!("endpoints/{id}/recover"),
            json!({ "since": "2020-01-01T00:00:00Z" }),
        ),
        (Method::GET, format!("deliveries/{delivery}"), json!({})),
        (Method::POST, format!("deliveries/{delivery}/resend"), json!({})),
    ];
    let manager = server.member(&org, Role::Manager).await;
    for (method, path, body) in calls {
        let call = |who: &tenon_testkit::TestUser| {
            answer(
                who.request(method.clone(), &format!("/api/v1/webhooks/{path}"))
                    .json(&body),
            )
        };
        assert_eq!(call(&other.owner).await.0, 404, "{method} {path}");
        assert_eq!(call(&other.owner.in_org(org.id)).await.0, 404, "{method} {path}");
        assert_eq!(call(&manager).await.0, 403, "{method} {path}");
    }
    for path in ["endpoints", "deliveries"] {
        let path = format!("/api/v1/webhooks/{path}");
        assert_eq!(manager.get_json(&path).await.0, 403);
        let (_, seen) = other.owner.get_json(&path).await;
        assert!(
            seen == json!([]) || seen == json!({ "items": [], "next": null }),
            "{seen}"
        );
    }
    assert_eq!(receiver.got().len(), 1);
    assert_eq!(
        one::<i64>(&admin, "select count(*) from webhooks.secrets").await,
        1
    );
}

#[tokio::test]
async fn what_is_no_address_or_no_event_is_refused() {
    // No network of this machine is allowed here.
    let server = TestServer::start(vec![quiet()]).await;
    let org = organization(&server, "Harbour").await;
    let ask = async |new: Value| org.owner.post_json("/api/v1/webhooks/endpoints", &new).await;
    let long = format!("https://example.com/{}", "x".repeat(3000));
    for (url, code) in [
        ("", "webhooks.url_invalid"),
        ("example.com", "webhooks.url_invalid"),
        ("ftp://example.com", "webhooks.url_invalid"),
        ("javascript:alert(1)", "webhooks.url_invalid"),
        ("http://no-such-host.invalid/", "webhooks.url_invalid"),
        ("https://me:secret@example.com/", "webhooks.url_invalid"),
        ("https://exa mple.com/", "webhooks.url_invalid"),
        ("https://example.com/\r\nx: y", "webhooks.url_invalid"),
        (long.as_str(), "webhooks.url_invalid"),
        ("https://127.0.0.1/", "outbound.forbidden_address"),
        ("https://[::ffff:10.0.0.1]/", "outbound.forbidden_address"),
        ("https://169.254.169.254/", "outbound.forbidden_address"),
        ("https://localhost/", "outbound.forbidden_address"),
        ("https://0x7f.1/", "outbound.forbidden_address"),
    ] {
        let (status, refused) = ask(json!({ "url": url, "events": ["*"] })).await;
        assert_eq!((status, &refused["code"]), (422, &json!(code)), "{url:?}");
    }
    let good = "https://no-such-host.invalid/hook";
    let many: Vec<String> = (0..51).map(|n| format!("a.b{n}")).collect();
    for events in [
        json!([]),
        json!(["x"]),
        json!(["a.*.b"]),
        json!(["\u{0}.*"]),
        json!(["Ж.*"]),
        json!(many),
    ] {
        let (status, refused) = ask(json!({ "url": good, "events": events })).await;
        assert_eq!(
            (status, &refused["code"]),
            (422, &json!("webhooks.events_invalid")),
            "{events}"
        );
    }
    let (status, refused) =
        ask(json!({ "url": good, "events": ["*"], "description": "ж".repeat(501) })).await;
    assert_eq!(
        (status, &refused["code"]),
        (422, &json!("webhooks.description_invalid"))
    );
    assert_eq!(
        ask(json!({ "url": good, "events": ["*"], "secret": "mine" }))
            .await
            .0,
        400
    );
    let admin = server.admin().await;
    assert_eq!(
        one::<i64>(&admin, "select count(*) from webhooks.endpoints").await,
        0
    );
    assert_eq!(
        one::<i64>(&admin, "select count(*) from webhooks.secrets").await,
        0
    );
    let (status, made) = ask(json!({ "url": good, "events": ["*"], "description": "ж".repeat(500) })).await;
    assert_eq!(status, 201, "{made}");
    let path = format!("/api/v1/webhooks/endpoints/{}", made["id"].as_str().unwrap());
    let change = async |new: Value| answer(org.owner.request(Method::PATCH, &path).json(&new)).await;
    assert_eq!(change(json!({ "url": "https://10.0.0.1/" })).await.0, 422);
    assert_eq!(change(json!({ "events": [] })).await.0, 422);
    assert_eq!(
        change(json!({ "description": "new", "enabled": false })).await.0,
        204
    );
    let (_, list) = org.owner.get_json("/api/v1/webhooks/endpoints").await;
    let seen = ["url", "description", "enabled", "disabled_because"].map(|name| list[0][name].clone());
    assert_eq!(seen, [json!(good), json!("new"), json!(false), json!("person")]);
}

fn few(config: &mut Config) {
    near(config);
    config.webhooks.endpoints = 2;
}

#[tokio::test]
async fn an_organisation_has_so_many_endpoints_and_no_more_however_many_ask_at_once() {
    let server = TestServer::configured(vec![quiet()], few).await;
    let org = organization(&server, "Harbour").await;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let owner = org.owner.clone();
        asking.spawn(async move {
            let new = json!({ "url": "https://no-such-host.invalid/", "events": ["*"] });
            owner.post_json("/api/v1/webhooks/endpoints", &new).await
        });
    }
    let mut codes = Vec::new();
    while let Some(answered) = asking.join_next().await {
        let (status, body) = answered.unwrap();
        codes.push(status);
        assert!(status == 201 || body["code"] == "webhooks.too_many", "{body}");
    }
    assert_eq!(
        codes.iter().filter(|status| **status == 201).count(),
        2,
        "{codes:?}"
    );
    assert_eq!(
        one::<i64>(&server.admin().await, "select count(*) from webhooks.secrets").await,
        2
    );
}

#[tokio::test]
async fn the_log_is_had_in_pages_and_goes_when_it_is_old() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let receiver = Receiver::start(&[]).await;
    let (id, _) = endpoint(&org, &receiver.url, &["diary.*"]).await;
    record(&server, &org, &[("diary.written", ""); 7]).await;
    let admin = server.admin().await;
    attempts(&admin, 7).await;
    until(&admin, "select not exists (select from jobs.queue)").await;
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/webhooks/deliveries?endpoint={id}&limit=3{before}");
        let (status, page) = org.owner.get_json(&path).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].clone()),
        );
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.is_sorted_by(|a, b| a.as_str() > b.as_str()));
    for (query, count) in [
        ("state=failed", 0),
        ("event=nonsense", 0),
        ("event=imports.*", 0),
        ("event=diary.written", 7),
        ("limit=-5", 1),
    ] {
        let (status, page) = org
            .owner
            .get_json(&format!("/api/v1/webhooks/deliveries?{query}"))
            .await;
        assert_eq!(
            (status, page["items"].as_array().unwrap().len()),
            (200, count),
            "{query}"
        );
    }
    assert_eq!(
        org.owner
            .get_json("/api/v1/webhooks/deliveries?state=lost")
            .await
            .0,
        400
    );
    let old = "update webhooks.messages set created_at = now() - interval '31 days' where id in (select id from webhooks.messages limit 4)";
    admin.batch_execute(old).await.unwrap();
    let daily: uuid::Uuid = one(
        &admin,
        "select id from jobs.schedules where name = 'webhooks.retire'",
    )
    .await;
    let run = async || {
        jobs::run_now(server.kernel(), Some(org.id), org.owner.id, daily)
            .await
            .unwrap()
            .unwrap()
    };
    run().await;
    until(&admin, "select count(*) = 3 from webhooks.attempts").await;
    assert_eq!(
        one::<i64>(&admin, "select count(*) from webhooks.deliveries").await,
        3
    );
    // With the last endpoint and the last message there is nothing left to do.
    let gone = org
        .owner
        .request(Method::DELETE, &format!("/api/v1/webhooks/endpoints/{id}"));
    assert_eq!(answer(gone).await.0, 204);
    admin
        .batch_execute("update webhooks.messages set created_at = now() - interval '31 days'")
        .await
        .unwrap();
    until(&admin, "select not exists (select from jobs.queue)").await;
    run().await;
    until(
        &admin,
        "select not exists (select from jobs.schedules where name = 'webhooks.retire')",
    )
    .await;
}
