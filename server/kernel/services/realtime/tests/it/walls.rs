//! Policies that look at columns which the log does not carry: what is not known is not taken for NULL.

use serde_json::{Value, json};
use tenon_testkit::TestServer;

use crate::{client::Client, notes};

/// What a visitor is told of `public.kept` while `change` is done.
async fn told(server: &TestServer, filter: &str, change: &str) -> Vec<String> {
    let mut ada = Client::connect(server, "").await;
    let mut kept = json!({ "event": "*", "schema": "public", "table": "kept" });
    if !filter.is_empty() {
        kept["filter"] = filter.into();
    }
    let end = json!({ "event": "*", "schema": "public", "table": "board", "filter": "body=eq.end" });
    ada.subscribe("kept", json!([kept, end]), None).await;
    let admin = server.admin().await;
    admin.batch_execute(change).await.unwrap();
    admin
        .batch_execute("insert into public.board (id, body) values (1000, 'end')")
        .await
        .unwrap();
    let mut told = Vec::new();
    loop {
        let data = ada.event("postgres_changes").await["data"].take();
        let row = match &data["record"] {
            Value::Null => &data["old_record"],
            row => row,
        };
        if row["body"] == "end" {
            admin.batch_execute("delete from public.board").await.unwrap();
            return told;
        }
        told.push(format!("{} {}", data["type"].as_str().unwrap(), row["id"]));
    }
}

/// A server with a table `kept` of these columns, which visitors may read as these policies say.
async fn kept(columns: &str, policies: &str, publication: &str) -> TestServer {
    let server = notes::server().await;
    server
        .admin()
        .await
        .batch_execute(&format!(
            "create table public.kept ({columns}); grant select on public.kept to anon; \
             alter table public.kept enable row level security; {policies}; \
             alter publication supabase_realtime add table public.kept {publication}"
        ))
        .await
        .unwrap();
    server
}

#[tokio::test]
async fn a_policy_on_a_computed_column_is_asked_of_its_value() {
    let server = kept(
        "id int primary key, d jsonb, hidden bool generated always as ((d->>'hidden') = '1') stored",
        "create policy shown on public.kept for select using (hidden is not true)",
        "",
    )
    .await;
    let told = told(
        &server,
        "",
        r#"insert into public.kept (id, d) values (1, '{"hidden":"1"}'), (2, '{}');
           update public.kept set d = '{"hidden":"1"}' where id = 2; update public.kept set d = '{}' where id = 1"#,
    )
    .await;
    assert_eq!(told, ["INSERT 2", "UPDATE 1"]);
}

#[tokio::test]
async fn a_policy_that_keeps_out_by_a_computed_column_is_not_passed() {
    let server = kept(
        "id int primary key, path text, org uuid generated always as (split_part(path, '/', 1)::uuid) stored",
        "create policy all_rows on public.kept for select using (true); \
         create policy own on public.kept as restrictive for select using (org is not distinct from null)",
        "",
    )
    .await;
    let change = "insert into public.kept (id, path) values (1, gen_random_uuid() || '/salaries'); delete from public.kept";
    assert!(told(&server, "", change).await.is_empty());
}

#[tokio::test]
async fn a_filter_on_a_computed_column_meets_its_value() {
    let server = kept(
        "id int primary key, n int, twice numeric generated always as (n * 2) stored",
        "create policy all_rows on public.kept for select using (true)",
        "",
    )
    .await;
    let insert = "delete from public.kept; insert into public.kept (id, n) values (1, 1), (2, 2), (3, null)";
    for (filter, wanted) in [
        ("twice=gt.2", &["INSERT 2"][..]),
        ("twice=is.null", &["INSERT 3"]),
        ("twice=in.(2,4)", &["INSERT 1", "INSERT 2"]),
    ] {
        let mut told = told(&server, filter, insert).await;
        told.retain(|told| told.starts_with("INSERT"));
        assert_eq!(told, wanted, "{filter}");
    }
}

#[tokio::test]
async fn a_policy_on_a_column_that_is_not_published_lets_nobody_in() {
    for condition in ["private is not true", "(to_jsonb(kept)->>'private') is null"] {
        let server = kept(
            "id int primary key, title text, private bool",
            &format!(
                "create policy shown on public.kept for select using ({condition}); \
                 create policy key on public.kept for select using (id = 3)"
            ),
            "(id, title)",
        )
        .await;
        let change = "insert into public.kept values (1, 'secret', true), (2, 'open', false), (3, 'by its key', true); \
                      update public.kept set title = 'still secret'; delete from public.kept";
        assert_eq!(
            told(&server, "", change).await,
            ["INSERT 3", "UPDATE 3", "DELETE 3"],
            "{condition}"
        );
        assert!(
            told(
                &server,
                "private=is.null",
                "insert into public.kept values (3, 'x', true)"
            )
            .await
            .is_empty(),
            "nor is it NULL for a filter"
        );
    }
}

#[tokio::test]
async fn rows_that_are_gone_are_judged_by_what_is_recorded_of_them() {
    let server = kept(
        "id int primary key, k int not null unique, private bool",
        "create policy shown on public.kept for select using (private is not true); \
         alter table public.kept replica identity using index kept_k_key",
        "",
    )
    .await;
    let told = told(
        &server,
        "",
        "insert into public.kept values (1, 1, true), (2, 2, false); \
         update public.kept set k = k + 10; delete from public.kept",
    )
    .await;
    assert_eq!(told, ["INSERT 2", "UPDATE 2"]);
}

#[tokio::test]
async fn a_large_value_that_did_not_change_is_not_taken_for_null() {
    let server = kept(
        "id int primary key, stars int, body text",
        "create policy shown on public.kept for select using (left(body, 6) is distinct from 'secret'); \
         alter table public.kept alter body set storage external; \
         alter table public.kept replica identity using index kept_pkey",
        "",
    )
    .await;
    let told = told(
        &server,
        "",
        "insert into public.kept values (1, 1, 'secret' || repeat('x', 10000)), (2, 1, 'short'); \
         update public.kept set stars = 2; update public.kept set id = id + 2",
    )
    .await;
    assert_eq!(told, ["INSERT 2", "UPDATE 2", "UPDATE 4"]);
}
