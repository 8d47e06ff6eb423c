//! What happens when the stream breaks.

use serde_json::json;
use tenon_testkit::TestServer;

use crate::{client::Client, notes};

fn board() -> serde_json::Value {
    json!([{ "event": "*", "schema": "public", "table": "board" }])
}

async fn slots(server: &TestServer) -> Vec<(String, Option<i32>)> {
    let sql =
        "select slot_name::text, active_pid from pg_replication_slots where database = current_database()";
    let rows = server.admin().await.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_stream_that_breaks_is_taken_up_again_without_loss_and_without_repetition() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    ada.subscribe("board", board(), None).await;
    let admin = server.admin().await;
    for id in 0..20 {
        let body = format!("{id}");
        admin
            .execute(
                "insert into public.board (id, body) values ($1, $2)",
                &[&id, &body],
            )
            .await
            .unwrap();
        if id % 7 == 3 {
            admin
                .query("select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database()", &[])
                .await
                .unwrap();
        }
    }
    let bodies: Vec<_> = ada.changes(20).await.into_iter().map(|(_, body)| body).collect();
    let wanted: Vec<_> = (0..20).map(|id| json!(id.to_string())).collect();
    assert_eq!(bodies, wanted);
    assert!(
        ada.so_far()
            .await
            .iter()
            .all(|(_, event)| event != "postgres_changes")
    );
}

#[tokio::test]
async fn a_process_that_starts_takes_over_the_slot_of_one_that_is_gone_with_what_it_still_holds() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    ada.subscribe("board", board(), None).await;
    let admin = server.admin().await;
    admin
        .batch_execute("insert into public.board (id, body) values (1, 'seen')")
        .await
        .unwrap();
    let seen = ada.event("postgres_changes").await["data"].take();
    let (slot, _) = slots(&server).await.remove(0);
    let next = notes::beside(&server).await;
    drop(ada);
    drop(server);
    admin
        .batch_execute("insert into public.board (id, body) values (2, 'while nobody was there')")
        .await
        .unwrap();
    notes::eventually(async || slots(&next).await.iter().all(|(_, reader)| reader.is_none())).await;
    let mut back = Client::connect(&next, "").await;
    let wanted = json!([{ "event": "*", "schema": "public", "table": "board", "since": seen["position"] }]);
    back.subscribe("board", wanted, None).await;
    // At least once: the slot may still hold what was seen before.
    let mut body = json!("seen");
    while body == "seen" {
        body = back.changes(1).await.remove(0).1;
    }
    assert_eq!(body, "while nobody was there");
    let now = slots(&next).await;
    assert_eq!(now.len(), 1);
    assert_eq!(now[0].0, slot);
}

#[tokio::test]
async fn subscribers_are_told_to_read_anew_when_changes_were_lost() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    ada.subscribe("board", board(), None).await;
    let admin = server.admin().await;
    // As when it held back too much of the log.
    let (slot, _) = slots(&server).await.remove(0);
    notes::eventually(async || {
        let _ = admin.query("select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1::text::name", &[&slot]).await;
        admin.query("select pg_drop_replication_slot($1::text::name)", &[&slot]).await.is_ok()
    })
    .await;
    let system = ada.event("system").await;
    assert!(
        system["message"].as_str().unwrap().starts_with("Reload"),
        "{system}"
    );
    admin
        .batch_execute("insert into public.board (id, body) values (1, 'new')")
        .await
        .unwrap();
    assert_eq!(ada.changes(1).await[0].1, "new");
}

#[tokio::test]
async fn slots_of_processes_that_are_gone_are_dropped() {
    let server = notes::server_with(|config| config.realtime.slot_idle_seconds = 0).await;
    let admin = server.admin().await;
    admin
        .query(
            "select pg_create_logical_replication_slot('tenon_realtime_gone', 'pgoutput')",
            &[],
        )
        .await
        .unwrap();
    admin
        .query(
            "select pg_create_logical_replication_slot('of_somebody_else', 'pgoutput')",
            &[],
        )
        .await
        .unwrap();
    let most = 1_i64 << 40;
    let look = "select slot from realtime.look_after_slots('', 0, $1) where dropped";
    notes::eventually(async || {
        let dropped = admin.query(look, &[&most]).await.unwrap();
        dropped
            .iter()
            .any(|row| row.get::<_, String>(0) == "tenon_realtime_gone")
    })
    .await;
    let left: Vec<String> = slots(&server).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(left, ["of_somebody_else"]);
}

#[tokio::test]
async fn without_a_stream_channels_still_carry_what_clients_say() {
    let server = notes::server_with(|config| config.realtime.changes = false).await;
    let mut ada = Client::connect(&server, "").await;
    ada.join(
        "room",
        json!({ "broadcast": { "self": true }, "postgres_changes": board() }),
        None,
    )
    .await;
    let system = ada.event("system").await;
    assert_eq!(
        (system["status"].clone(), system["extension"].clone()),
        (json!("error"), json!("postgres_changes"))
    );
    ada.send("room", "broadcast", json!({ "event": "e", "payload": 1 }))
        .await;
    assert_eq!(ada.event("broadcast").await["payload"], 1);
    assert!(slots(&server).await.is_empty());
}

#[tokio::test]
async fn a_server_that_closes_sends_its_listeners_elsewhere() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    ada.subscribe("board", board(), None).await;
    let changes = json!([{ "schema": "public", "table": "board" }]).to_string();
    let query: String = url::form_urlencoded::byte_serialize(changes.as_bytes()).collect();
    let mut stream = server
        .anonymous(reqwest::Method::GET, &format!("/realtime/v1/sse?changes={query}"))
        .send()
        .await
        .unwrap();
    server.kernel().stopping().leave();
    assert!(
        !ada.so_far().await.iter().any(|(_, event)| event == "close"),
        "it has only taken leave"
    );
    server.kernel().stopping().close();
    let last = ada.until(|frame| frame.event == "close").await;
    // "Service restart": clients connect again, which they do not after 1000.
    assert_eq!(last.reference, 1012);
    assert_eq!(last.payload, "the server is stopping: connect again");
    while stream.chunk().await.unwrap().is_some() {}
    // Whoever comes all the same is told at once.
    let mut late = Client::connect(&server, "").await;
    assert_eq!(late.until(|frame| frame.event == "close").await.reference, 1012);
}
