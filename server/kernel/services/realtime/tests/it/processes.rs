//! Several processes on one database.

use serde_json::json;

use crate::{client::Client, notes};

#[tokio::test]
async fn everything_reaches_everybody_once_whichever_process_they_are_on() {
    let server = notes::server().await;
    let other = notes::beside(&server).await;
    let org = server.organization("Ours").await;
    let token = Some(org.owner.token.as_str());
    let changes = json!([{ "event": "*", "schema": "notes", "table": "items" }]);
    let mut here = Client::connect(&server, "").await;
    let mut there = Client::connect(&other, "").await;
    for client in [&mut here, &mut there] {
        client.subscribe("notes", changes.clone(), token).await;
        client
            .join(
                "room",
                json!({ "broadcast": { "self": true }, "presence": { "key": "k" } }),
                token,
            )
            .await;
        client.event("presence_state").await;
    }
    // Larger than a notification may be.
    let large = "ü".repeat(50_000);
    here.send(
        "room",
        "broadcast",
        json!({ "event": "e", "payload": { "text": large } }),
    )
    .await;
    there
        .send("room", "broadcast", json!({ "event": "e", "payload": 2 }))
        .await;
    let admin = server.admin().await;
    for body in ["one", "two", "three"] {
        notes::note(&admin, &org, body).await;
    }
    there
        .send(
            "room",
            "presence",
            json!({ "event": "track", "payload": { "who": "there" } }),
        )
        .await;
    for client in [&mut here, &mut there] {
        let mut broadcasts = Vec::new();
        let mut bodies = Vec::new();
        let mut joined = 0;
        while broadcasts.len() < 2 || bodies.len() < 3 || joined < 1 {
            let frame = client.next().await.unwrap();
            match frame.event.as_str() {
                "broadcast" => broadcasts.push(frame.payload["payload"].clone()),
                "postgres_changes" => bodies.push(frame.payload["data"]["record"]["body"].clone()),
                "presence_diff" => joined += frame.payload["joins"].as_object().unwrap().len(),
                _ => {}
            }
        }
        assert_eq!(bodies, [json!("one"), json!("two"), json!("three")]);
        assert!(broadcasts.contains(&json!({ "text": large })) && broadcasts.contains(&json!(2)));
    }
    // A process that starts later learns who is there.
    let third = notes::beside(&server).await;
    notes::eventually(async || {
        let mut late = Client::connect(&third, "").await;
        late.join("room", json!({}), token).await;
        late.event("presence_state").await["k"]["metas"][0]["who"] == "there"
    })
    .await;
    for client in [&mut here, &mut there] {
        let heard = client.so_far().await;
        assert!(
            heard.iter().all(|(_, event)| event == "phx_reply"),
            "nothing came twice: {heard:?}"
        );
    }
}

#[tokio::test]
async fn what_others_notify_is_no_word_of_a_process() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    ada.join("room", json!({ "presence": { "enabled": false } }), None)
        .await;
    let admin = server.admin().await;
    let word = json!({ "b": {
        "key": { "org": null, "private": false, "name": "room" }, "event": "forged", "json": { "x": 1 },
    }});
    for said in [
        format!("deadbeef:1:0:1:{word}"),
        format!("1:deadbeef:1:0:1:{word}"),
        format!("{}:1:deadbeef:1:0:1:{word}", "A".repeat(43)),
    ] {
        admin
            .execute("select pg_notify('tenon_realtime', $1)", &[&said])
            .await
            .unwrap();
    }
    // What another process says comes by the same road, after it.
    let other = notes::beside(&server).await;
    notes::eventually(async || {
        let mut bob = Client::connect(&other, "").await;
        bob.join("room", json!({}), None).await;
        bob.send("room", "broadcast", json!({ "event": "true", "payload": 1 }))
            .await;
        let heard = ada.until(|frame| frame.event == "broadcast").await;
        assert_eq!(heard.payload["event"], "true");
        true
    })
    .await;
    let table = "select has_table_privilege(r, 'realtime.word_key', 'select') from unnest(array['anon', 'authenticated', 'service_role']) r";
    let rows = admin.query(table, &[]).await.unwrap();
    assert!(
        rows.iter().all(|row| !row.get::<_, bool>(0)),
        "nobody reads the secret"
    );
}
