//! Frames that no good client sends, floods, and those who do not read.

use serde_json::json;

use crate::{client::Client, notes};

#[tokio::test]
async fn a_connection_that_sends_nonsense_is_closed_with_a_reason() {
    let server = notes::server().await;
    for nonsense in ["", "{", "[]", "[1,2,3]", "\u{0}"] {
        let mut ada = Client::connect(&server, "").await;
        ada.raw(nonsense).await;
        let close = ada.next().await.expect("a farewell");
        assert_eq!(
            (close.event.as_str(), close.payload.as_str().unwrap().is_empty()),
            ("close", false),
            "{nonsense:?}"
        );
    }
    let mut ada = Client::connect(&server, "").await;
    ada.raw_bytes(vec![3, 255, 255, 255, 255, 255, 1, 7]).await;
    assert_eq!(ada.next().await.expect("a farewell").event, "close");
}

#[tokio::test]
async fn topics_that_were_not_joined_are_answered_with_an_error() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    let reference = ada
        .send("room", "broadcast", json!({ "event": "e", "payload": 1 }))
        .await;
    let answer = ada.until(|frame| frame.reference == reference).await;
    assert_eq!(
        answer.payload,
        json!({ "status": "error", "response": { "reason": "unmatched topic" } })
    );
    assert_eq!(
        ada.join("", json!({}), None).await["status"],
        "error",
        "a topic has a name"
    );
    for config in [
        json!(null),
        json!([]),
        json!({ "broadcast": 5, "presence": [], "postgres_changes": {} }),
    ] {
        assert_eq!(
            ada.join("room", config, None).await["status"],
            "ok",
            "what makes no sense is as if it were not there"
        );
    }
}

#[tokio::test]
async fn a_channel_that_is_left_is_silent() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    let mut bob = Client::connect(&server, "").await;
    for client in [&mut ada, &mut bob] {
        client.join("room", json!({}), None).await;
    }
    ada.send("room", "phx_leave", json!({})).await;
    ada.until(|frame| frame.event == "phx_close").await;
    bob.send("room", "broadcast", json!({ "event": "e", "payload": 1 }))
        .await;
    bob.so_far().await;
    assert!(ada.so_far().await.is_empty());
}

#[tokio::test]
async fn limits_of_channels_messages_and_sizes_hold() {
    let server = notes::server_with(|config| {
        config.realtime.channels = 3;
        config.realtime.events_per_second = 5;
        config.realtime.max_payload_bytes = 1_000;
        config.realtime.connections = 2;
    })
    .await;
    let mut ada = Client::connect(&server, "").await;
    for room in ["a", "b", "c"] {
        assert_eq!(
            ada.join(room, json!({ "broadcast": { "ack": true } }), None)
                .await["status"],
            "ok"
        );
    }
    assert!(
        ada.join("d", json!({}), None).await["response"]["reason"]
            .as_str()
            .unwrap()
            .starts_with("ChannelRateLimitReached")
    );
    let reference = ada
        .send(
            "a",
            "broadcast",
            json!({ "event": "e", "payload": "x".repeat(2_000) }),
        )
        .await;
    let answer = ada.until(|frame| frame.reference == reference).await;
    assert_eq!(answer.payload["status"], "error");
    for _ in 0..20 {
        ada.send("a", "broadcast", json!({ "event": "e", "payload": 1 }))
            .await;
    }
    let system = ada.event("system").await;
    assert_eq!(system["message"], "Too many messages per second");
    let _bob = Client::connect(&server, "").await;
    assert_eq!(Client::try_connect(&server, "").await.err(), Some(429));
}

#[tokio::test]
async fn who_does_not_read_is_dropped_and_harms_nobody() {
    let server = notes::server_with(|config| config.realtime.max_waiting_bytes = 200_000).await;
    let mut slow = Client::connect(&server, "").await;
    let mut quick = Client::connect(&server, "").await;
    let mut ada = Client::connect(&server, "").await;
    for client in [&mut slow, &mut quick, &mut ada] {
        client
            .join("room", json!({ "presence": { "enabled": false } }), None)
            .await;
    }
    // More than the sockets between them hold.
    for number in 0..200 {
        ada.send(
            "room",
            "broadcast",
            json!({ "event": "e", "payload": { "number": number, "fill": "x".repeat(100_000) } }),
        )
        .await;
        assert_eq!(quick.event("broadcast").await["payload"]["number"], number);
    }
    let mut read = 0;
    while let Some(frame) = slow.next().await {
        read += usize::from(frame.event == "broadcast");
    }
    assert!(read < 200, "{read} of 200 reached who did not read");
}
