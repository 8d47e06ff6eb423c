//! Changes of rows: who is told of what.

use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::TestServer;

use crate::{client::Client, notes};

fn all_notes() -> Value {
    json!([{ "event": "*", "schema": "notes", "table": "items" }])
}

fn board(more: &Value) -> Value {
    let mut wanted = json!({ "event": "*", "schema": "public", "table": "board" });
    wanted
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!([wanted])
}

/// Bodies of the board's rows of which a subscription is told, when those are written and the last is `end`.
async fn told(server: &TestServer, wanted: &Value, rows: &str) -> Vec<String> {
    let mut ada = Client::connect(server, "").await;
    let answer = ada
        .join("board", json!({ "postgres_changes": [wanted[0], { "event": "INSERT", "schema": "public", "table": "board", "filter": "body=eq.end" }] }), None)
        .await;
    assert_eq!(answer["status"], "ok");
    let system = ada.event("system").await;
    assert_eq!(system["status"], "ok", "{system}");
    let admin = server.admin().await;
    admin
        .batch_execute(&format!(
            "delete from public.board; {rows}; insert into public.board (id, body) values (1000, 'end')"
        ))
        .await
        .unwrap();
    let first = answer["response"]["postgres_changes"][0]["id"].clone();
    let mut bodies = Vec::new();
    loop {
        let change = ada.event("postgres_changes").await;
        if change["ids"].as_array().unwrap().contains(&first) {
            bodies.push(
                change["data"]["record"]["body"]
                    .as_str()
                    .unwrap_or("null")
                    .to_owned(),
            );
        }
        if change["data"]["record"]["body"] == "end" {
            bodies.retain(|body| body != "end");
            return bodies;
        }
    }
}

#[tokio::test]
async fn members_are_told_of_the_rows_of_their_organisation_removal_included() {
    let server = notes::server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let member = server.member(&ours, Role::Member).await;
    let viewer = server.member(&ours, Role::Viewer).await;
    let mut clients = Vec::new();
    for token in [&member.token, &viewer.token, &theirs.owner.token] {
        let mut client = Client::connect(&server, "").await;
        client.subscribe("notes", all_notes(), Some(token)).await;
        clients.push(client);
    }
    let mut visitor = Client::connect(&server, "").await;
    let answer = visitor
        .join("notes", json!({ "postgres_changes": all_notes() }), None)
        .await;
    assert_eq!(answer["status"], "ok");
    assert_eq!(
        visitor.event("system").await["status"],
        "error",
        "visitors may not read the table at all"
    );

    let admin = server.admin().await;
    let id = notes::note(&admin, &ours, "one").await;
    admin
        .execute("update notes.items set stars = 5 where id = $1", &[&id])
        .await
        .unwrap();
    admin
        .execute("delete from notes.items where id = $1", &[&id])
        .await
        .unwrap();
    notes::note(&admin, &theirs, "theirs").await;
    let [member, viewer, stranger] = &mut clients[..] else {
        panic!("three")
    };
    let changes = member.changes(3).await;
    assert_eq!(changes[0], ("INSERT".to_owned(), json!("one")));
    assert_eq!(changes[1], ("UPDATE".to_owned(), json!("one")));
    assert_eq!(changes[2].0, "DELETE");
    assert_eq!(
        stranger.changes(1).await,
        [("INSERT".to_owned(), json!("theirs"))]
    );
    for silent in [member, viewer, &mut visitor] {
        let heard = silent.so_far().await;
        assert!(
            heard.iter().all(|(_, event)| event != "postgres_changes"),
            "{heard:?}"
        );
    }
}

#[tokio::test]
async fn who_is_removed_hears_nothing_more() {
    let server = notes::server().await;
    let ours = server.organization("Ours").await;
    let member = server.member(&ours, Role::Member).await;
    let mut stays = Client::connect(&server, "").await;
    let mut goes = Client::connect(&server, "").await;
    stays
        .subscribe("notes", all_notes(), Some(&ours.owner.token))
        .await;
    goes.subscribe("notes", all_notes(), Some(&member.token)).await;
    let admin = server.admin().await;
    admin
        .execute(
            "delete from tenancy.memberships where user_id = $1",
            &[&member.id],
        )
        .await
        .unwrap();
    notes::note(&admin, &ours, "after").await;
    assert_eq!(stays.changes(1).await[0].1, "after");
    let heard = goes.so_far().await;
    assert!(
        heard.iter().all(|(_, event)| event != "postgres_changes"),
        "{heard:?}"
    );
}

#[tokio::test]
async fn policies_of_the_operators_own_are_asked_of_every_row_and_of_rows_that_are_gone() {
    let server = notes::server().await;
    let admin = server.admin().await;
    admin
        .batch_execute(
            "alter table public.board enable row level security; \
             create policy own on public.board for select to authenticated using (owner = auth.uid() or body = 'open')",
        )
        .await
        .unwrap();
    let (ada, bob) = (server.user("ada").await, server.user("bob").await);
    let mut a = Client::connect(&server, "").await;
    let mut b = Client::connect(&server, "").await;
    a.subscribe("board", board(&json!({})), Some(&ada.token)).await;
    b.subscribe("board", board(&json!({})), Some(&bob.token)).await;
    admin
        .execute("insert into public.board values (1, $1, 'hers')", &[&ada.id])
        .await
        .unwrap();
    admin
        .execute("insert into public.board values (2, $1, 'his')", &[&bob.id])
        .await
        .unwrap();
    admin
        .batch_execute("insert into public.board values (3, null, 'open'); delete from public.board")
        .await
        .unwrap();
    let bodies = |changes: Vec<(String, Value)>| -> Vec<String> {
        changes
            .into_iter()
            .map(|(kind, body)| format!("{kind} {}", body.as_str().unwrap_or_default()))
            .collect()
    };
    assert_eq!(
        bodies(a.changes(4).await),
        ["INSERT hers", "INSERT open", "DELETE hers", "DELETE open"]
    );
    assert_eq!(
        bodies(b.changes(4).await),
        ["INSERT his", "INSERT open", "DELETE his", "DELETE open"]
    );
}

#[tokio::test]
async fn a_row_that_was_out_of_sight_shows_its_past_to_nobody() {
    let server = notes::server().await;
    let admin = server.admin().await;
    admin
        .batch_execute(
            "alter table public.board enable row level security; \
             create policy open on public.board for select to authenticated using (owner is null); \
             insert into public.board values (1, gen_random_uuid(), 'a secret')",
        )
        .await
        .unwrap();
    let ada = server.user("ada").await;
    let mut a = Client::connect(&server, "").await;
    a.subscribe("board", board(&json!({})), Some(&ada.token)).await;
    admin
        .batch_execute("update public.board set owner = null, body = 'told'")
        .await
        .unwrap();
    let change = a.event("postgres_changes").await;
    assert_eq!(change["data"]["record"]["body"], "told");
    assert_eq!(change["data"]["old_record"], json!({ "id": 1 }));
}

#[tokio::test]
async fn columns_that_may_not_be_read_are_left_out() {
    let server = notes::server().await;
    let admin = server.admin().await;
    admin
        .batch_execute(
            "revoke select on public.board from anon; grant select (id, body) on public.board to anon",
        )
        .await
        .unwrap();
    let mut a = Client::connect(&server, "").await;
    a.subscribe("board", board(&json!({})), None).await;
    admin
        .batch_execute("insert into public.board values (1, gen_random_uuid(), 'x')")
        .await
        .unwrap();
    let data = a.event("postgres_changes").await["data"].take();
    assert_eq!(data["record"], json!({ "id": 1, "body": "x" }));
    assert_eq!(
        data["columns"],
        json!([{ "name": "id", "type": "int4" }, { "name": "body", "type": "text" }])
    );
    let mut b = Client::connect(&server, "").await;
    b.join(
        "board",
        json!({ "postgres_changes": board(&json!({ "filter": "owner=is.null" })) }),
        None,
    )
    .await;
    assert_eq!(
        b.event("system").await["message"],
        "invalid column for filter owner"
    );
}

#[tokio::test]
async fn filters_let_through_what_they_say() {
    let server = notes::server().await;
    let rows = "insert into public.board (id, body) values (1, 'apple'), (2, 'Banana'), (3, null), (4, 'cherry, red'), (10, 'ünlü')";
    for (filter, wanted) in [
        ("id=eq.10", &["ünlü"][..]),
        ("id=lt.10,id=gt.2", &["null", "cherry, red"]),
        ("id=not.in.(1,2,3,10)", &["cherry, red"]),
        ("body=in.(apple,\"cherry, red\")", &["apple", "cherry, red"]),
        ("body=is.null", &["null"]),
        ("body=not.is.null,id=lte.2", &["apple", "Banana"]),
        ("body=like.%an%", &["Banana"]),
        ("body=ilike.b%", &["Banana"]),
        ("body=match.^[ac]", &["apple", "cherry, red"]),
        ("body=imatch.^b", &["Banana"]),
        ("body=neq.apple,id=neq.10", &["Banana", "cherry, red"]),
        ("body=isdistinct.apple,id=lt.4", &["Banana", "null"]),
        ("body=eq.ünlü", &["ünlü"]),
    ] {
        let told = told(
            &server,
            &board(&json!({ "event": "INSERT", "filter": filter })),
            rows,
        )
        .await;
        assert_eq!(told, wanted, "{filter}");
    }
}

#[tokio::test]
async fn subscriptions_that_make_no_sense_are_told_so_and_harm_nobody() {
    let server = notes::server().await;
    let mut good = Client::connect(&server, "").await;
    good.subscribe("board", board(&json!({})), None).await;
    for wrong in [
        json!({ "schema": "public", "table": "nothing" }),
        json!({ "schema": "auth", "table": "users" }),
        json!({ "schema": "public", "table": "board\" or true --" }),
        json!({ "schema": "public", "table": "board", "filter": "nothing=eq.1" }),
        json!({ "schema": "public", "table": "board", "filter": "id=eq.x" }),
        json!({ "schema": "public", "table": "board", "filter": "id=eq.1 or true" }),
        json!({ "schema": "public", "table": "board", "filter": "body=match.(" }),
        json!({ "schema": "public", "table": "board", "filter": "id=is.true" }),
        json!({ "schema": "public", "table": "board", "filter": 5 }),
        json!({ "schema": "public", "table": "board", "event": "ALL" }),
        json!({ "schema": "public", "table": "board", "select": ["nothing"] }),
        json!({ "schema": "public", "table": "board", "since": "yesterday" }),
        json!({ "schema": "*", "filter": "id=eq.1" }),
        json!(5),
    ] {
        let mut ada = Client::connect(&server, "").await;
        assert_eq!(
            ada.join("board", json!({ "postgres_changes": [wrong] }), None)
                .await["status"],
            "ok"
        );
        let system = ada.event("system").await;
        assert_eq!(system["status"], "error", "{wrong}: {system}");
        assert_eq!(system["extension"], "postgres_changes");
    }
    server
        .admin()
        .await
        .batch_execute("insert into public.board (id, body) values (1, 'x')")
        .await
        .unwrap();
    assert_eq!(good.changes(1).await[0].1, "x");
}

#[tokio::test]
async fn a_policy_that_fails_is_told_to_those_it_concerns_and_others_hear_on() {
    let server = notes::server().await;
    let admin = server.admin().await;
    let (ours, user) = (server.organization("Ours").await, server.user("ada").await);
    let mut victim = Client::connect(&server, "").await;
    victim
        .subscribe("board", board(&json!({})), Some(&user.token))
        .await;
    let mut other = Client::connect(&server, "").await;
    other
        .subscribe("notes", all_notes(), Some(&ours.owner.token))
        .await;
    admin
        .batch_execute(
            "alter table public.board enable row level security; \
             create policy broken on public.board for select to authenticated using (1 / (id - 1) > 0)",
        )
        .await
        .unwrap();
    admin
        .batch_execute("insert into public.board (id, body) values (1, 'x')")
        .await
        .unwrap();
    notes::note(&admin, &ours, "fine").await;
    assert_eq!(other.changes(1).await[0].1, "fine");
    let system = victim.event("system").await;
    assert_eq!(system["status"], "error");
    assert!(
        system["message"].as_str().unwrap().contains("public.board"),
        "{system}"
    );
}

#[tokio::test]
async fn what_is_asked_for_comes_back_in_its_order_with_numbers_and_columns_can_be_chosen() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    let wanted = json!([
        { "event": "INSERT", "schema": "public", "table": "board" },
        { "event": "*", "schema": "public", "table": "board", "filter": "id=eq.2", "select": "body" },
    ]);
    let answer = ada
        .join("board", json!({ "postgres_changes": wanted }), None)
        .await;
    let given = answer["response"]["postgres_changes"].as_array().unwrap().clone();
    assert_eq!(
        (given[0]["event"].clone(), given[1]["filter"].clone()),
        (json!("INSERT"), json!("id=eq.2"))
    );
    ada.event("system").await;
    server
        .admin()
        .await
        .batch_execute("insert into public.board (id, body) values (2, 'x')")
        .await
        .unwrap();
    let (first, second) = (
        ada.event("postgres_changes").await,
        ada.event("postgres_changes").await,
    );
    assert_eq!(
        (first["ids"].clone(), second["ids"].clone()),
        (json!([given[0]["id"]]), json!([given[1]["id"]]))
    );
    assert_eq!(
        first["data"]["record"],
        json!({ "id": 2, "owner": null, "body": "x" })
    );
    assert_eq!(second["data"]["record"], json!({ "id": 2, "body": "x" }));
}

#[tokio::test]
async fn changes_come_in_the_order_of_commits_and_a_transaction_that_is_undone_never() {
    let server = notes::server().await;
    let mut ada = Client::connect(&server, "").await;
    ada.subscribe("board", board(&json!({})), None).await;
    let (mut one, two) = (server.admin().await, server.admin().await);
    let late = one.transaction().await.unwrap();
    late.batch_execute("insert into public.board (id, body) values (1, 'began first')")
        .await
        .unwrap();
    two.batch_execute("begin; insert into public.board (id, body) values (9, 'undone'); rollback")
        .await
        .unwrap();
    two.batch_execute(
        "insert into public.board (id, body) select n, 'many' from generate_series(100, 1099) n",
    )
    .await
    .unwrap();
    late.commit().await.unwrap();
    let mut bodies: Vec<_> = ada
        .changes(1001)
        .await
        .into_iter()
        .map(|(_, body)| body)
        .collect();
    assert_eq!(bodies.pop(), Some(json!("began first")));
    assert!(bodies.iter().all(|body| body == "many"));
}

#[tokio::test]
async fn a_row_that_is_too_large_comes_with_its_small_values() {
    let server = notes::server_with(|config| config.realtime.max_change_bytes = 10_000).await;
    let mut ada = Client::connect(&server, "").await;
    ada.subscribe("board", board(&json!({})), None).await;
    server
        .admin()
        .await
        .batch_execute("insert into public.board (id, body) values (1, repeat('x', 20000))")
        .await
        .unwrap();
    let data = ada.event("postgres_changes").await["data"].take();
    assert_eq!(data["record"], json!({ "id": 1, "owner": null }));
    assert_eq!(data["errors"], json!(["Error 413: Payload Too Large"]));
}

#[tokio::test]
async fn who_comes_back_gets_what_was_missed_or_is_told_to_read_anew() {
    let server = notes::server_with(|config| config.realtime.kept_bytes = 20_000).await;
    let admin = server.admin().await;
    let insert = async |id: i32, body: &str| {
        admin
            .execute(
                "insert into public.board (id, body) values ($1, $2)",
                &[&id, &body],
            )
            .await
            .unwrap();
    };
    let mut ada = Client::connect(&server, "").await;
    ada.subscribe("board", board(&json!({})), None).await;
    insert(1, "seen").await;
    let seen = ada.event("postgres_changes").await["data"].take();
    drop(ada);
    insert(2, "missed").await;
    insert(3, "missed too").await;
    for since in ["position", "commit_timestamp"] {
        let mut back = Client::connect(&server, "").await;
        back.subscribe("board", board(&json!({ "since": seen[since] })), None)
            .await;
        let bodies: Vec<_> = back.changes(2).await.into_iter().map(|(_, body)| body).collect();
        let expected = if since == "position" {
            [json!("missed"), json!("missed too")]
        } else {
            [json!("seen"), json!("missed")]
        };
        assert_eq!(
            bodies, expected,
            "{since}: a time is less exact, so that its changes come again"
        );
    }
    let big = "x".repeat(3_000);
    for id in 10..20 {
        insert(id, &big).await;
    }
    notes::eventually(async || {
        let mut late = Client::connect(&server, "").await;
        late.join(
            "board",
            json!({ "postgres_changes": board(&json!({ "since": seen["position"] })) }),
            None,
        )
        .await;
        let system = late.event("system").await;
        system["message"].as_str().unwrap().starts_with("Reload")
    })
    .await;
}
