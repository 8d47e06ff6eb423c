//! The same subscriptions as server-sent events.

use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::answer;

use crate::{notes, stream::Stream};

fn path(changes: &Value, channels: &Value) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("changes", &changes.to_string())
        .append_pair("channels", &channels.to_string())
        .finish();
    format!("/realtime/v1/sse?{query}")
}

#[tokio::test]
async fn changes_and_broadcasts_come_with_the_rights_of_the_caller() {
    let server = notes::server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let viewer = server.member(&ours, Role::Viewer).await;
    let notes_of = json!([{ "schema": "notes", "table": "items" }]);
    let mut owner = Stream::open(ours.owner.get(&path(&notes_of, &json!([{ "topic": "room" }])))).await;
    let mut viewer = Stream::open(viewer.get(&path(&notes_of, &json!([{ "topic": "room" }])))).await;
    for stream in [&mut owner, &mut viewer] {
        stream.until("system").await;
    }
    let admin = server.admin().await;
    notes::note(&admin, &theirs, "theirs").await;
    notes::note(&admin, &ours, "ours").await;
    let change = owner.until("postgres_changes").await;
    assert_eq!(change["payload"]["data"]["record"]["body"], "ours");
    let messages = json!({ "messages": [{ "topic": "room", "event": "e", "payload": 1 }] });
    ours.owner
        .post("/realtime/v1/api/broadcast")
        .json(&messages)
        .send()
        .await
        .unwrap();
    // What a viewer may not see does not come before what it may.
    let (event, data) = viewer.next().await;
    assert_eq!(
        (event.as_str(), data["payload"]["payload"].clone()),
        ("broadcast", json!(1))
    );
    assert_eq!(owner.until("broadcast").await["topic"], "room");
}

#[tokio::test]
async fn the_last_event_says_where_to_take_up_again() {
    let server = notes::server().await;
    let org = server.organization("Ours").await;
    let notes_of = json!([{ "schema": "notes", "table": "items" }]);
    let road = path(&notes_of, &json!([]));
    let mut stream = Stream::open(org.owner.get(&road)).await;
    stream.until("system").await;
    let admin = server.admin().await;
    notes::note(&admin, &org, "seen").await;
    let seen = stream.until("postgres_changes").await;
    let position = seen["payload"]["data"]["position"].as_str().unwrap().to_owned();
    assert_eq!(stream.last_id.as_deref(), Some(position.as_str()));
    drop(stream);
    notes::note(&admin, &org, "missed").await;
    let mut back = Stream::open(org.owner.get(&road).header("last-event-id", &position)).await;
    assert_eq!(
        back.until("postgres_changes").await["payload"]["data"]["record"]["body"],
        "missed"
    );
    let nonsense = answer(org.owner.get(&road).header("last-event-id", "x")).await;
    assert_eq!(
        (nonsense.0, nonsense.1["code"].as_str()),
        (400, Some("realtime.since"))
    );
}

#[tokio::test]
async fn what_is_no_subscription_is_refused() {
    let server = notes::server().await;
    let org = server.organization("Ours").await;
    for road in [
        "/realtime/v1/sse".to_owned(),
        path(&json!([]), &json!([])),
        path(&json!({}), &json!([])),
        path(&json!([]), &json!([{ "nothing": 1 }])),
        path(&json!([1]), &json!([])),
        path(&json!([null]), &json!([])),
        format!(
            "{}&since=2026-01-01T00:00:00Z",
            path(&json!([1, "x", [1]]), &json!([]))
        ),
        path(&json!([]), &json!(vec![json!({ "topic": "x" }); 51])),
    ] {
        let (status, body) = answer(org.owner.get(&road)).await;
        assert_eq!(status, 400, "{road}: {body}");
    }
}
