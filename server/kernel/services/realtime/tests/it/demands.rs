//! Demands that are too large, and clients that do not behave.

use serde_json::{Value, json};

use crate::{client::Client, notes};

fn board(filter: &str) -> Value {
    json!({ "event": "*", "schema": "public", "table": "board", "filter": filter })
}

#[tokio::test]
async fn more_subscriptions_than_a_channel_takes_are_refused_when_it_is_joined() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    let long = format!("body=eq.{}", "x".repeat(70_000));
    for (wanted, status) in [
        (vec![board("id=eq.1"); 100], "ok"),
        (vec![board("id=eq.1"); 101], "error"),
        (vec![board(&long)], "error"),
    ] {
        let answer = ada
            .join("board", json!({ "postgres_changes": wanted }), None)
            .await;
        assert_eq!(answer["status"], status);
        if status == "error" {
            let reason = answer["response"]["reason"].as_str().unwrap();
            assert!(reason.starts_with("TooManySubscriptions: "), "{reason}");
        }
    }
}

#[tokio::test]
async fn filters_that_the_database_would_have_to_be_asked_about_too_often_are_refused() {
    let server = notes::server_with(|config| config.realtime.conditions = 150).await;
    let many = |from: usize, count: usize| {
        let all: Vec<String> = (from..from + count)
            .map(|n| format!("body=neq.x,body=like.{n}%"))
            .collect();
        let bindings = all.chunks(50).map(|chunk| board(&chunk.join(",")));
        json!({ "postgres_changes": bindings.collect::<Vec<_>>() })
    };
    let mut ada = Client::connect(&server, "").await;
    let mut system = async |count, from| {
        ada.join(&format!("board{count}"), many(from, count), None).await;
        ada.event("system").await["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(system(100, 0).await, "Subscribed to PostgreSQL");
    // 200 are those of one connection, 500 those of one channel; here the group has room for 150.
    for count in [60, 101, 300] {
        let told = system(count, 1000).await;
        assert!(told.starts_with("TooManyConditions: "), "{count}: {told}");
    }
    assert_eq!(system(40, 2000).await, "Subscribed to PostgreSQL");
    let mut bob = Client::connect(&server, "").await;
    bob.subscribe("board", json!([board("id=eq.1")]), None).await;
    server
        .admin()
        .await
        .batch_execute("insert into public.board (id, body) values (1, 'x')")
        .await
        .unwrap();
    assert_eq!(bob.changes(1).await[0].1, "x");
}

#[tokio::test]
async fn values_of_many_filters_are_written_as_postgresql_does() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    let wanted = json!([
        board("id=eq. 007 ,body=in.(x,y)"),
        board("id=in.(+7,0008)"),
        board("body=match.^x"),
        board("id=gte.7,id=lt.1e1"),
    ]);
    let answer = ada
        .join("board", json!({ "postgres_changes": wanted }), None)
        .await;
    let wrong = ada.event("system").await;
    assert_eq!(wrong["status"], "error", "1e1 is no integer: {answer}");
    let wanted = json!([
        board("id=eq. 007 ,body=in.(x,y)"),
        board("id=in.(+7,0008)"),
        board("body=match.^x")
    ]);
    ada.subscribe("board", wanted, None).await;
    server
        .admin()
        .await
        .batch_execute("insert into public.board (id, body) values (7, 'x')")
        .await
        .unwrap();
    assert_eq!(
        ada.event("postgres_changes").await["ids"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn a_filter_that_cannot_be_asked_keeps_nothing_from_those_who_have_none() {
    let server = notes::server().await;
    let admin = server.admin().await;
    admin
        .batch_execute(
            "create function public.fragile(int) returns text language plpgsql immutable as \
             $$ begin return (1 / $1)::text; end $$; \
             create table public.odd (id int primary key, n int, f text generated always as (public.fragile(n)) stored); \
             grant select on public.odd to anon; alter publication supabase_realtime add table public.odd",
        )
        .await
        .unwrap();
    let odd = |filter: &str| json!([{ "event": "*", "schema": "public", "table": "odd", "filter": filter }]);
    let mut filters = Client::connect(&server, "").await;
    filters.subscribe("odd", odd("f=like.1%"), None).await;
    let mut other = Client::connect(&server, "").await;
    other.subscribe("odd", odd("id=eq.1"), None).await;
    // The function turns bad after the row was written.
    admin
        .batch_execute(
            "revoke execute on function public.fragile(int) from public; insert into public.odd (id, n) values (1, 1)",
        )
        .await
        .unwrap();
    assert_eq!(other.event("postgres_changes").await["data"]["record"]["id"], 1);
    let system = filters.event("system").await;
    assert!(
        system["message"]
            .as_str()
            .unwrap()
            .starts_with("The filters on public.odd cannot be asked"),
        "{system}"
    );
}

#[tokio::test]
async fn who_was_passed_over_is_told_to_read_anew_once_it_is_served_again() {
    let server = notes::server().await;
    let admin = server.admin().await;
    admin
        .batch_execute(
            "alter table public.board enable row level security; \
             create policy sound on public.board for select using (1 / id > -9)",
        )
        .await
        .unwrap();
    let mut ada = Client::connect(&server, "").await;
    ada.subscribe("board", json!([board("")]), None).await;
    admin
        .batch_execute("insert into public.board (id, body) values (0, 'passed over')")
        .await
        .unwrap();
    let mut told = Vec::new();
    while told.len() < 3 {
        told.push(ada.event("system").await["message"].as_str().unwrap().to_owned());
    }
    assert!(told[0].contains("cannot be asked"), "{told:?}");
    assert_eq!(told[1], "Subscribed to PostgreSQL");
    assert!(told[2].starts_with("Reload: "), "{told:?}");
}

#[tokio::test]
async fn a_filter_on_a_column_that_may_not_be_read_any_more_says_nothing_of_it() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    ada.subscribe("board", json!([board("body=like.s%")]), None).await;
    let admin = server.admin().await;
    admin
        .batch_execute("revoke select on public.board from anon; grant select (id) on public.board to anon")
        .await
        .unwrap();
    // The news of it and the rows come by different roads.
    notes::eventually(async || {
        let mut bob = Client::connect(&server, "").await;
        let wanted = json!({ "postgres_changes": [board("body=like.s%")] });
        bob.join("board", wanted, None).await;
        bob.event("system").await["message"] == "invalid column for filter body"
    })
    .await;
    admin
        .batch_execute("insert into public.board (id, body) values (1, 'secret'), (2, 'other')")
        .await
        .unwrap();
    let first = ada
        .until(|frame| ["system", "postgres_changes"].contains(&frame.event.as_str()))
        .await;
    assert_eq!(
        first.payload["message"], "invalid column for filter body",
        "{first:?}"
    );
}

#[tokio::test]
async fn a_connection_says_no_more_of_itself_than_its_allowance() {
    let server = notes::server_with(|config| config.realtime.presence_bytes = 10_000).await;
    let mut ada = Client::connect(&server, "").await;
    let track = |size: usize| json!({ "event": "track", "payload": { "x": "y".repeat(size) } });
    for topic in ["one", "two", "three"] {
        ada.join(topic, json!({ "presence": { "key": "k" } }), None).await;
    }
    for (topic, size) in [("one", 6_000), ("one", 5_000), ("two", 4_000)] {
        let reference = ada.send(topic, "presence", track(size)).await;
        let answer = ada.until(|frame| frame.reference == reference).await;
        assert_eq!(answer.payload["status"], "ok", "{topic}");
    }
    ada.send("three", "presence", track(4_000)).await;
    let system = ada.event("system").await;
    assert!(
        system["message"]
            .as_str()
            .unwrap()
            .starts_with("PresenceSizeExceeded: "),
        "{system}"
    );
    // What it takes back makes room.
    ada.send("one", "presence", json!({ "event": "untrack" })).await;
    ada.join("three", json!({ "presence": { "key": "k" } }), None)
        .await;
    let reference = ada.send("three", "presence", track(4_000)).await;
    assert_eq!(
        ada.until(|frame| frame.reference == reference).await.payload["status"],
        "ok"
    );
}

#[tokio::test]
async fn names_that_are_kept_with_a_channel_are_short() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    let long = "x".repeat(2_000);
    for (topic, key) in [(&*long, "k"), ("room", &*long)] {
        let answer = ada.join(topic, json!({ "presence": { "key": key } }), None).await;
        let reason = answer["response"]["reason"].as_str().unwrap();
        assert!(reason.starts_with("NameTooLong: "), "{reason}");
    }
}

#[tokio::test]
async fn who_does_not_read_is_closed_and_its_channels_end() {
    let server = notes::server_with(|config| {
        config.realtime.silent_seconds = 1;
        config.realtime.max_waiting_bytes = 64 << 20;
    })
    .await;
    let mut stuck = Client::connect(&server, "").await;
    stuck
        .join("room", json!({ "presence": { "key": "stuck" } }), None)
        .await;
    stuck
        .send("room", "presence", json!({ "event": "track", "payload": {} }))
        .await;
    stuck.event("presence_diff").await;
    let mut sender = Client::connect(&server, "").await;
    sender.join("room", json!({}), None).await;
    let large = "z".repeat(1_500_000);
    for _ in 0..12 {
        sender
            .send("room", "broadcast", json!({ "event": "e", "payload": large }))
            .await;
    }
    // Whoever is there reads and speaks; who does not read is gone, though its side of the line stays open.
    notes::eventually(async || {
        let mut other = Client::connect(&server, "").await;
        other.join("room", json!({}), None).await;
        let state = other.event("presence_state").await;
        state["stuck"].is_null()
    })
    .await;
    drop(stuck);
}

#[tokio::test]
async fn a_token_that_opened_the_connection_ends_its_channels_when_it_ends() {
    let server = notes::server_with(|config| config.auth.access_token_seconds = 5).await;
    let ada = server.user("ada").await;
    let mut client = Client::connect(&server, &format!("&apikey={}", ada.token)).await;
    client.subscribe("board", json!([board("")]), None).await;
    let system = client.event("system").await;
    assert_eq!(system["message"], "Token has expired");
    client.event("phx_close").await;
    let answer = client.join("board", json!({}), None).await;
    assert_eq!(answer["response"]["reason"], "InvalidJWTToken: Token has expired");
}
