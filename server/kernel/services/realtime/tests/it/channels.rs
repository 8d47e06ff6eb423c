//! Broadcast and presence in channels that anybody may join.

use reqwest::Method;
use serde_json::json;

use crate::{client::Client, notes};

#[tokio::test]
async fn a_broadcast_reaches_the_others_of_its_topic_and_its_sender_only_if_it_asks() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    let mut bob = Client::connect(&server, "").await;
    let mut eve = Client::connect(&server, "").await;
    ada.join("room", json!({ "broadcast": { "ack": true } }), None)
        .await;
    bob.join("room", json!({ "broadcast": { "self": true } }), None)
        .await;
    eve.join("other", json!({}), None).await;
    let reference = ada
        .send(
            "room",
            "broadcast",
            json!({ "type": "broadcast", "event": "said", "payload": { "x": "ü" } }),
        )
        .await;
    let answer = ada.until(|frame| frame.reference == reference).await;
    assert_eq!(answer.payload["status"], "ok");
    assert_eq!(bob.event("broadcast").await["payload"], json!({ "x": "ü" }));
    bob.send("room", "broadcast", json!({ "event": "said", "payload": 2 }))
        .await;
    assert_eq!(bob.event("broadcast").await["payload"], json!(2));
    assert_eq!(ada.event("broadcast").await["payload"], json!(2));
    let heard = eve.so_far().await;
    assert!(heard.iter().all(|(_, event)| event != "broadcast"), "{heard:?}");
}

#[tokio::test]
async fn bytes_travel_as_bytes() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    let mut bob = Client::connect(&server, "").await;
    for client in [&mut ada, &mut bob] {
        client.join("room", json!({}), None).await;
    }
    let mut frame = vec![3, 1, 1, 13, 4, 0, 0];
    frame.extend(b"11realtime:roomdata");
    frame.extend([0, 255, 128]);
    ada.raw_bytes(frame).await;
    let heard = bob.event("broadcast").await;
    assert_eq!(
        (heard["event"].clone(), heard["payload"].clone()),
        (json!("data"), json!([0, 255, 128]))
    );
}

#[tokio::test]
async fn organisations_do_not_hear_one_another_in_topics_of_the_same_name() {
    let server = notes::server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let mut us = Client::connect(&server, &format!("&org={}", ours.slug)).await;
    let mut them = Client::connect(&server, "").await;
    let mut nobody = Client::connect(&server, "").await;
    // Who is in one organisation need not name it; a connection that names it must be let in there.
    assert_eq!(
        us.join("room", json!({}), Some(&ours.owner.token)).await["status"],
        "ok"
    );
    assert_eq!(
        them.join("room", json!({}), Some(&theirs.owner.token)).await["status"],
        "ok"
    );
    assert_eq!(nobody.join("room", json!({}), None).await["status"], "ok");
    let mut intruder = Client::connect(&server, &format!("&org={}", ours.slug)).await;
    let answer = intruder.join("room", json!({}), Some(&theirs.owner.token)).await;
    assert_eq!(answer["status"], "error", "{answer}");
    them.send("room", "broadcast", json!({ "event": "secret", "payload": {} }))
        .await;
    nobody
        .send("room", "broadcast", json!({ "event": "noise", "payload": {} }))
        .await;
    them.so_far().await;
    nobody.so_far().await;
    let heard = us.so_far().await;
    assert!(heard.iter().all(|(_, event)| event != "broadcast"), "{heard:?}");
}

#[tokio::test]
async fn who_is_there_is_told_to_those_who_come_and_those_who_stay() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    ada.join("room", json!({ "presence": { "key": "ada" } }), None)
        .await;
    assert_eq!(ada.event("presence_state").await, json!({}));
    ada.send(
        "room",
        "presence",
        json!({ "type": "presence", "event": "track", "payload": { "mood": "good" } }),
    )
    .await;
    let diff = ada.event("presence_diff").await;
    assert_eq!(diff["joins"]["ada"]["metas"][0]["mood"], "good");
    let mut bob = Client::connect(&server, "").await;
    bob.join("room", json!({ "presence": { "key": "bob" } }), None)
        .await;
    assert_eq!(
        bob.event("presence_state").await["ada"]["metas"][0]["mood"],
        "good"
    );
    ada.send(
        "room",
        "presence",
        json!({ "event": "TRACK", "payload": { "mood": "tired" } }),
    )
    .await;
    let diff = bob.event("presence_diff").await;
    assert_eq!(diff["joins"]["ada"]["metas"][0]["mood"], "tired");
    assert_eq!(diff["leaves"]["ada"]["metas"][0]["mood"], "good");
    drop(ada);
    let diff = bob.event("presence_diff").await;
    assert_eq!(
        diff["leaves"]["ada"]["metas"][0]["mood"], "tired",
        "a connection that is gone takes its presence along"
    );
}

#[tokio::test]
async fn a_presence_that_is_no_object_is_refused() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    ada.join("room", json!({}), None).await;
    let reference = ada
        .send("room", "presence", json!({ "event": "track", "payload": [1] }))
        .await;
    let answer = ada.until(|frame| frame.reference == reference).await;
    assert_eq!(answer.payload["status"], "error");
}

#[tokio::test]
async fn messages_come_by_http_too() {
    let server = notes::server().await;
    let org = server.organization("Ours").await;
    let mut ada = Client::connect(&server, "").await;
    ada.join("room", json!({}), Some(&org.owner.token)).await;
    let messages = json!({ "messages": [{ "topic": "room", "event": "e", "payload": { "x": 1 } }, { "topic": "elsewhere", "event": "e", "payload": 1 }] });
    let answer = org
        .owner
        .post("/realtime/v1/api/broadcast")
        .json(&messages)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(ada.event("broadcast").await["payload"], json!({ "x": 1 }));
    let path = "/realtime/v1/api/broadcast/room/events/raw";
    let answer = org
        .owner
        .post(path)
        .header("content-type", "application/octet-stream")
        .body(vec![1, 0])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(ada.event("broadcast").await["payload"], json!([1, 0]));
    for wrong in [
        json!({}),
        json!([]),
        json!({ "messages": [{ "topic": "room" }] }),
        json!({ "messages": [{ "topic": "", "event": "e", "payload": 1 }] }),
    ] {
        let answer = org
            .owner
            .post("/realtime/v1/api/broadcast")
            .json(&wrong)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 422, "{wrong}");
    }
    let nobody = server
        .anonymous(Method::POST, "/realtime/v1/api/broadcast")
        .json(&messages)
        .send()
        .await
        .unwrap();
    assert_eq!(nobody.status(), 202, "visitors have a room of their own");
    let heard = ada.so_far().await;
    assert!(heard.is_empty(), "{heard:?}");
}

#[tokio::test]
async fn a_token_that_is_not_good_opens_no_channel() {
    let server = notes::server().await;
    assert_eq!(
        Client::try_connect(&server, "&apikey=nonsense").await.err(),
        Some(401)
    );
    let mut ada = Client::connect(&server, "").await;
    let answer = ada.join("room", json!({}), Some("a.b.c")).await;
    assert_eq!(answer["status"], "error");
    assert!(
        answer["response"]["reason"]
            .as_str()
            .unwrap()
            .starts_with("InvalidJWTToken"),
        "{answer}"
    );
    let user = server.user("ada").await;
    assert_eq!(
        ada.join("room", json!({}), Some(&user.token)).await["status"],
        "ok"
    );
    ada.send("room", "access_token", json!({ "access_token": "a.b.c" }))
        .await;
    assert_eq!(ada.event("system").await["status"], "error");
    assert_eq!(
        ada.until(|frame| frame.event == "phx_close").await.topic,
        "realtime:room"
    );
}

#[tokio::test]
async fn who_is_removed_hears_no_broadcast_of_the_organisation_any_more() {
    let server = notes::server_with(|config| config.realtime.check_seconds = 1).await;
    let org = server.organization("Ours").await;
    let member = server.member(&org, tenon_sdk::permission::Role::Member).await;
    let mut goes = Client::connect(&server, "").await;
    goes.join("room", json!({}), Some(&member.token)).await;
    // Opened as the member, so that the channel has no token of its own.
    let mut opened = Client::connect(&server, &format!("&apikey={}", member.token)).await;
    opened.join("room", json!({}), None).await;
    let admin = server.admin().await;
    admin
        .execute(
            "delete from tenancy.memberships where user_id = $1",
            &[&member.id],
        )
        .await
        .unwrap();
    for client in [&mut goes, &mut opened] {
        assert_eq!(client.event("system").await["status"], "error");
        client.until(|frame| frame.event == "phx_close").await;
    }
    let messages = json!({ "messages": [{ "topic": "room", "event": "e", "payload": 1 }] });
    let sent = org.owner.post("/realtime/v1/api/broadcast").json(&messages);
    assert_eq!(sent.send().await.unwrap().status(), 202);
    for client in [&mut goes, &mut opened] {
        let heard = client.so_far().await;
        assert!(heard.iter().all(|(_, event)| event != "broadcast"), "{heard:?}");
    }
}

#[tokio::test]
async fn no_road_leads_into_an_organisation_of_others() {
    let server = notes::server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let intruder = theirs.owner.in_org(ours.id);
    let messages = json!({ "messages": [{ "topic": "room", "event": "e", "payload": 1 }] });
    let several = intruder.post("/realtime/v1/api/broadcast").json(&messages);
    let one = intruder.post("/realtime/v1/api/broadcast/room/events/e").json(&1);
    let stream = intruder.get("/realtime/v1/sse?channels=[{%22topic%22:%22room%22}]");
    for request in [several, one, stream] {
        assert_eq!(request.send().await.unwrap().status(), 404);
    }
    let query = format!("&org={}&apikey={}", ours.slug, theirs.owner.token);
    assert_eq!(Client::try_connect(&server, &query).await.err(), Some(404));
}
