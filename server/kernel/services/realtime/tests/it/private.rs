//! Private channels: policies on `realtime.messages`, as they are written for Supabase.

use serde_json::json;

use crate::{client::Client, notes};

const POLICIES: &str = r#"
    create policy "read rooms" on "realtime"."messages" as permissive for select to authenticated
        using (realtime.topic() like 'room:%' and "realtime"."messages"."extension" in ('broadcast', 'presence'));
    create policy "listen" on realtime.messages for select to authenticated
        using (extension = 'broadcast' and (select realtime.topic()) = 'listen:' || (select auth.uid())::text);
    create policy "write rooms" on realtime.messages for insert to authenticated with check (realtime.topic() like 'room:%');
"#;

#[tokio::test]
async fn policies_say_who_joins_who_sends_and_who_is_seen() {
    let server = notes::server().await;
    server.admin().await.batch_execute(POLICIES).await.unwrap();
    let org = server.organization("Ours").await;
    let (user, token) = (&org.owner, Some(org.owner.token.as_str()));
    let private = json!({ "private": true, "broadcast": { "ack": true, "self": true } });
    let mut ada = Client::connect(&server, "").await;

    let refused = ada.join("secret", private.clone(), token).await;
    assert_eq!(
        refused["response"]["reason"],
        "Unauthorized: You do not have permissions to read from this Channel topic: secret"
    );
    assert_eq!(
        ada.join("room:1", private.clone(), None).await["status"],
        "error",
        "not for visitors"
    );
    let someone = "listen:00000000-0000-0000-0000-000000000000";
    assert_eq!(ada.join(someone, private.clone(), token).await["status"], "error");

    assert_eq!(ada.join("room:1", private.clone(), token).await["status"], "ok");
    let reference = ada
        .send("room:1", "broadcast", json!({ "event": "e", "payload": 1 }))
        .await;
    ada.until(|frame| frame.event == "broadcast").await;
    assert_eq!(
        ada.until(|frame| frame.reference == reference).await.payload["status"],
        "ok"
    );

    let listen = format!("listen:{}", user.id.0);
    assert_eq!(ada.join(&listen, private, token).await["status"], "ok");
    for (event, payload) in [
        ("broadcast", json!({ "event": "e", "payload": 1 })),
        ("presence", json!({ "event": "track", "payload": {} })),
    ] {
        let reference = ada.send(&listen, event, payload).await;
        let answer = ada.until(|frame| frame.reference == reference).await;
        assert_eq!(answer.payload["status"], "error", "{event}");
    }
}

#[tokio::test]
async fn a_private_topic_and_a_public_one_of_the_same_name_are_two() {
    let server = notes::server().await;
    server.admin().await.batch_execute(POLICIES).await.unwrap();
    let org = server.organization("Ours").await;
    let token = Some(org.owner.token.as_str());
    let mut inside = Client::connect(&server, "").await;
    let mut outside = Client::connect(&server, "").await;
    inside.join("room:1", json!({ "private": true }), token).await;
    outside.join("room:1", json!({}), token).await;
    outside
        .send("room:1", "broadcast", json!({ "event": "forged", "payload": 1 }))
        .await;
    outside.so_far().await;
    assert!(
        inside
            .so_far()
            .await
            .iter()
            .all(|(_, event)| event != "broadcast")
    );
}

#[tokio::test]
async fn a_policy_that_is_taken_away_ends_the_channel_with_the_next_token() {
    let server = notes::server().await;
    let admin = server.admin().await;
    admin.batch_execute(POLICIES).await.unwrap();
    let org = server.organization("Ours").await;
    let mut ada = Client::connect(&server, "").await;
    ada.join("room:1", json!({ "private": true }), Some(&org.owner.token))
        .await;
    admin
        .batch_execute(r#"drop policy "read rooms" on realtime.messages"#)
        .await
        .unwrap();
    // The news of the schema and the token come by different roads.
    notes::eventually(async || {
        let mut bob = Client::connect(&server, "").await;
        bob.join("room:1", json!({ "private": true }), Some(&org.owner.token))
            .await["status"]
            == "error"
    })
    .await;
    let answer = server
        .http()
        .post(server.url("/auth/v1/token?grant_type=password"))
        .json(&json!({ "email": org.owner.email, "password": tenon_testkit::PASSWORD }))
        .send()
        .await
        .unwrap();
    let session: serde_json::Value = answer.json().await.unwrap();
    ada.send(
        "room:1",
        "access_token",
        json!({ "access_token": session["access_token"] }),
    )
    .await;
    let system = ada.event("system").await;
    assert_eq!(
        system["message"],
        "You no longer have permission to read from this Channel topic: room:1"
    );
}

#[tokio::test]
async fn a_private_message_by_http_needs_the_right_to_write() {
    let server = notes::server().await;
    server.admin().await.batch_execute(POLICIES).await.unwrap();
    let org = server.organization("Ours").await;
    let path = |topic: &str| format!("/realtime/v1/api/broadcast/{topic}/events/e?private=true");
    let status = async |request: reqwest::RequestBuilder| {
        request.json(&json!({})).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(org.owner.post(&path("room:1"))).await, 202);
    assert_eq!(status(org.owner.post(&path("secret"))).await, 403);
    assert_eq!(
        status(server.anonymous(reqwest::Method::POST, &path("room:1"))).await,
        403
    );
}

#[tokio::test]
async fn of_several_private_messages_by_http_those_go_out_that_policies_let_through() {
    let server = notes::server().await;
    server.admin().await.batch_execute(POLICIES).await.unwrap();
    let org = server.organization("Ours").await;
    let mut ada = Client::connect(&server, &format!("&x-org-id={}", org.id)).await;
    let token = Some(org.owner.token.as_str());
    let joined = ada.join("room:1", json!({ "private": true }), token).await;
    assert_eq!(joined["status"], "ok", "{joined}");
    let message = |topic: &str, number: i32| json!({ "topic": topic, "private": true, "event": "e", "payload": number });
    let messages = [
        message("room:1", 1),
        message("secret", 2),
        message("room:1", 3),
        message("secret", 4),
        message("room:2", 5),
        message("room:1", 6),
    ];
    let sent = org.owner.post("/realtime/v1/api/broadcast");
    let sent = sent.json(&json!({ "messages": messages })).send().await.unwrap();
    assert_eq!(sent.status(), 202);
    for number in [1, 3, 6] {
        assert_eq!(ada.event("broadcast").await["payload"], number);
    }
}
