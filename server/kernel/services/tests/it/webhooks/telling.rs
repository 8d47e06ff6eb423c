//! What is told, to whom, and how it is signed.

use serde_json::json;

use super::{Receiver, endpoint, organization, server};
use crate::{
    chores::{eventually, one, until},
    diary::{numbers, record},
};

#[tokio::test]
async fn an_event_reaches_who_asked_for_it_signed_so_that_others_can_check_it() {
    let server = server().await;
    let (org, other) = (
        organization(&server, "Harbour").await,
        organization(&server, "Yard").await,
    );
    let (ours, all, theirs) = (
        Receiver::start(&[]).await,
        Receiver::start(&[]).await,
        Receiver::start(&[]).await,
    );
    let (_, secret) = endpoint(&org, &ours.url, &["diary.visited", "imports.*"]).await;
    endpoint(&org, &all.url, &["diary.*"]).await;
    let (_, foreign) = endpoint(&other, &theirs.url, &["*"]).await;
    assert!(secret.starts_with("whsec_"));
    record(
        &server,
        &org,
        &[("diary.written", ""), ("diary.visited", "Grüße \u{1f6a2}")],
    )
    .await;
    let admin = server.admin().await;
    eventually("both are told", async || {
        ours.got().len() == 1 && all.got().len() == 2
    })
    .await;
    let got = ours.got().remove(0);
    let (id, seq): (uuid::Uuid, i64) = {
        let sql = "select id, seq from events.outbox where kind = 'diary.visited'";
        let row = admin.query_one(sql, &[]).await.unwrap();
        (row.get(0), row.get(1))
    };
    assert_eq!(got.header("webhook-id"), id.to_string());
    assert_eq!(got.header("content-type"), "application/json");
    assert!(got.header("user-agent").starts_with("Tenon/"));
    assert!(got.is_signed_with(&secret) && !got.is_signed_with(&foreign));
    let mut changed = got.clone();
    changed.body = changed.body.replace("visited", "Visited");
    assert!(!changed.is_signed_with(&secret));
    let told = got.json();
    assert_eq!(told["type"], "diary.visited");
    assert!(
        told["timestamp"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .is_ok()
    );
    assert_eq!(told["data"]["sequence"], seq);
    assert_eq!(told["data"]["organization"], json!(org.id));
    assert_eq!(told["data"]["actor"], json!(org.owner.id));
    assert_eq!(told["data"]["details"]["manner"], "Grüße \u{1f6a2}");
    // Two endpoints are told the same of one event.
    assert!(
        all.got()
            .iter()
            .any(|same| same.body == got.body && same.header("webhook-id") == got.header("webhook-id"))
    );
    until(
        &admin,
        "select not exists (select from webhooks.deliveries where state <> 'delivered')",
    )
    .await;
    // Somebody else hears of their own organisation alone.
    let heard = theirs.got();
    assert!(
        heard
            .iter()
            .all(|got| got.json()["data"]["organization"] == json!(other.id)),
        "{heard:?}"
    );
    assert_eq!(numbers(&admin, &org, "diary.%").await.len(), 2);
}

#[tokio::test]
async fn a_secret_that_was_replaced_signs_beside_the_new_one_for_a_while() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let receiver = Receiver::start(&[]).await;
    let (id, first) = endpoint(&org, &receiver.url, &["diary.*"]).await;
    let rotate = format!("/api/v1/webhooks/endpoints/{id}/rotate");
    let (status, rotated) = org.owner.post_json(&rotate, &json!({})).await;
    assert_eq!(status, 200, "{rotated}");
    assert!(rotated["old_secret_until"].is_string());
    let second = rotated["secret"].as_str().unwrap().to_owned();
    let next = async |count: usize| {
        record(&server, &org, &[("diary.written", "")]).await;
        eventually("it is told", async || receiver.got().len() == count).await;
        receiver.got().remove(count - 1)
    };
    let got = next(1).await;
    assert_eq!(got.header("webhook-signature").split(' ').count(), 2);
    assert!(got.is_signed_with(&first) && got.is_signed_with(&second));
    let admin = server.admin().await;
    let over = "update webhooks.secrets set expires_at = now() where expires_at is not null";
    admin.batch_execute(over).await.unwrap();
    let got = next(2).await;
    assert!(!got.is_signed_with(&first) && got.is_signed_with(&second));
    let (_, rotated) = org.owner.post_json(&rotate, &json!({ "keep_hours": 0 })).await;
    assert_eq!(rotated["old_secret_until"], json!(null));
    let got = next(3).await;
    assert!(!got.is_signed_with(&second) && got.is_signed_with(rotated["secret"].as_str().unwrap()));
    assert_eq!(
        one::<i64>(&admin, "select count(*) from webhooks.secrets").await,
        1
    );
    for _ in 0..8 {
        assert_eq!(
            org.owner
                .post_json(&rotate, &json!({ "keep_hours": 168 }))
                .await
                .0,
            200
        );
    }
    assert_eq!(
        one::<i64>(&admin, "select count(*) from webhooks.secrets").await,
        5,
        "old ones do not pile up"
    );
    assert_eq!(
        org.owner
            .post_json(&rotate, &json!({ "keep_hours": 169 }))
            .await
            .0,
        422
    );
    // A secret is told once, to whoever made it, and stands nowhere to be read.
    let (_, list) = org.owner.get_json("/api/v1/webhooks/endpoints").await;
    let (_, log) = org.owner.get_json("/api/v1/webhooks/deliveries").await;
    let trail: String = one(&admin, "select string_agg(e::text, ' ') from audit.entries e").await;
    for place in [list.to_string(), log.to_string(), trail] {
        assert!(
            !place.contains("whsec_") && !place.contains(&first["whsec_".len()..]),
            "{place}"
        );
    }
}

#[tokio::test]
async fn a_plan_without_webhooks_tells_nothing() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let receiver = Receiver::start(&[]).await;
    let admin = server.admin().await;
    let plan = |plan: &str| {
        format!(
            "update tenancy.organizations set plan = '{plan}' where id = '{}'",
            org.id
        )
    };
    admin.batch_execute(&plan("free")).await.unwrap();
    let new = json!({ "url": receiver.url, "events": ["diary.*"] });
    let (status, refused) = org.owner.post_json("/api/v1/webhooks/endpoints", &new).await;
    assert_eq!((status, &refused["code"]), (403, &json!("tenancy.not_in_plan")));
    admin.batch_execute(&plan("team")).await.unwrap();
    endpoint(&org, &receiver.url, &["diary.*"]).await;
    admin.batch_execute(&plan("free")).await.unwrap();
    record(&server, &org, &[("diary.written", "")]).await;
    let had = "select not exists (select from events.cursors c join events.sequences s using (org_id) \
        where c.consumer = 'webhooks.tell' and c.seq <> s.last)";
    until(&admin, had).await;
    admin.batch_execute(&plan("business")).await.unwrap();
    record(&server, &org, &[("diary.visited", "")]).await;
    eventually("the later one is told", async || !receiver.got().is_empty()).await;
    let kinds: Vec<_> = receiver
        .got()
        .iter()
        .map(|got| got.json()["type"].clone())
        .collect();
    assert_eq!(kinds, [json!("diary.visited")]);
}

#[tokio::test]
async fn a_test_is_sent_and_a_delivery_is_sent_again_under_the_same_id() {
    let server = server().await;
    let org = organization(&server, "Harbour").await;
    let receiver = Receiver::start(&[]).await;
    let (id, secret) = endpoint(&org, &receiver.url, &["imports.*"]).await;
    let test = format!("/api/v1/webhooks/endpoints/{id}/test");
    let (status, sent) = org.owner.post_json(&test, &json!({})).await;
    assert_eq!(status, 202, "{sent}");
    let admin = server.admin().await;
    until(
        &admin,
        "select exists (select from webhooks.deliveries where state = 'delivered')",
    )
    .await;
    let delivery = sent["delivery"].as_str().unwrap();
    let path = format!("/api/v1/webhooks/deliveries/{delivery}");
    assert_eq!(
        org.owner.post_json(&format!("{path}/resend"), &json!({})).await.0,
        204
    );
    until(
        &admin,
        "select exists (select from webhooks.deliveries where state = 'delivered' and attempts = 2)",
    )
    .await;
    let got = receiver.got();
    assert_eq!(got[0].json()["type"], "webhooks.test");
    assert!(got.iter().all(|got| got.is_signed_with(&secret)));
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
    assert_eq!(got[0].body, got[1].body);
    let (status, shown) = org.owner.get_json(&path).await;
    assert_eq!((status, &shown["body"]), (200, &json!(got[0].body)));
    let calls: Vec<_> = shown["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| (call["n"].clone(), call["status"].clone(), call["answer"].clone()))
        .collect();
    assert_eq!(
        calls,
        [
            (json!(1), json!(200), json!("thanks")),
            (json!(2), json!(200), json!("thanks"))
        ]
    );
}
