//! Tables that become others, and columns of every kind.

use serde_json::{Value, json};
use tenon_testkit::TestOrg;
use tokio_postgres::Client;

use crate::support::{found, server};

/// A tracked table with a row of the organisation.
async fn table(admin: &Client, org: &TestOrg) {
    admin
        .batch_execute(&format!(
            "create schema shop;
            create type shop.size as enum ('small', 'large');
            create type shop.spot as (shelf int, place text);
            create collation shop.caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            create table shop.things (
                org_id uuid not null, id uuid not null, day date not null, note text, amount numeric(12, 4), size shop.size, tags text[],
                spot shop.spot, plain json, code text collate shop.caseless, \"odd 'name\" int, share float8, api_token text,
                primary key (org_id, id, day));
            select audit.track('shop.things', omit => '{{share}}', tags => '{{soc2:CC8.1}}');
            insert into shop.things (org_id, id, day, plain, code, amount) values
                ('{}', '00000000-0000-0000-0000-000000000001', '2026-03-29', '{{\"a\": 1}}', 'ab', 1.5)",
            org.id
        ))
        .await
        .unwrap();
}

/// The newest change of the table, as fields with values before and after.
async fn newest(org: &TestOrg, table: &str) -> Value {
    let entries = found(&org.owner, &format!("table={table}&action=update&limit=1")).await;
    entries
        .first()
        .map_or(Value::Null, |entry| entry["changes"].clone())
}

async fn change(admin: &Client, sql: &str) {
    assert_eq!(
        admin
            .execute(&format!("update shop.things set {sql}"), &[])
            .await
            .unwrap(),
        1,
        "{sql}"
    );
}

#[tokio::test]
async fn columns_of_every_kind_tell_what_became_different() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    table(&admin, &org).await;
    let told = |field: &str, before: Value, after: Value| json!([{ "field": field, "before": before, "after": after }]);
    for (sql, expected) in [
        (
            "note = 'é ☃ ''; --'",
            told("note", json!(null), json!("é ☃ '; --")),
        ),
        ("amount = 2", told("amount", json!(1.5), json!(2.0))),
        ("size = 'large'", told("size", json!(null), json!("large"))),
        (
            "tags = '{a,\"b c\"}'",
            told("tags", json!(null), json!(["a", "b c"])),
        ),
        (
            "spot = (3, 'left')",
            told("spot", json!(null), json!({ "shelf": 3, "place": "left" })),
        ),
        (
            "plain = '{\"a\": 2}'",
            told("plain", json!({ "a": 1 }), json!({ "a": 2 })),
        ),
        ("code = 'AB'", told("code", json!("ab"), json!("AB"))),
        ("\"odd 'name\" = 7", told("odd 'name", json!(null), json!(7))),
        (
            "api_token = 'hunter2'",
            told("api_token", json!("***"), json!("***")),
        ),
    ] {
        change(&admin, sql).await;
        assert_eq!(newest(&org, "shop.things").await, expected, "{sql}");
    }
    let entries = found(&org.owner, "table=shop.things").await;
    assert_eq!(entries.len(), 10, "with the row that came");
    for entry in &entries {
        assert_eq!(entry["row"], "00000000-0000-0000-0000-000000000001,2026-03-29");
        assert_eq!(entry["tags"], json!(["soc2:CC8.1"]));
    }
    change(&admin, "share = 0.5, note = note").await;
    assert_eq!(
        found(&org.owner, "table=shop.things").await.len(),
        10,
        "what is left out is no entry"
    );
}

#[tokio::test]
async fn an_altered_table_is_told_as_it_is_now_and_takes_writes_as_before() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    table(&admin, &org).await;
    admin
        .batch_execute(
            "alter table shop.things drop column note;
            alter table shop.things add column colour text;
            alter table shop.things rename column size to width;
            alter table shop.things alter column amount type text",
        )
        .await
        .unwrap();
    change(&admin, "colour = 'red', width = 'small', amount = 'much'").await;
    let fields: Vec<String> = newest(&org, "shop.things")
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["field"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(fields, ["amount", "colour", "width"]);
    admin
        .batch_execute("alter table shop.things rename to stock; update shop.stock set colour = 'blue'")
        .await
        .unwrap();
    assert_eq!(
        newest(&org, "shop.stock").await,
        json!([{ "field": "colour", "before": "red", "after": "blue" }])
    );
}

#[tokio::test]
async fn where_nobody_hears_of_alterations_the_next_start_makes_up_for_it() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let admin = server.admin().await;
    table(&admin, &org).await;
    admin
        .batch_execute(
            "drop event trigger audit_altered;
            create table shop.gone (org_id uuid, id uuid primary key);
            select audit.track('shop.gone');
            drop table shop.gone;
            alter table shop.things add column colour text",
        )
        .await
        .unwrap();
    let attach = "select audit.attach_all()";
    assert_eq!(admin.query_one(attach, &[]).await.unwrap().get::<_, i32>(0), 1);
    assert_eq!(admin.query_one(attach, &[]).await.unwrap().get::<_, i32>(0), 0);
    change(&admin, "colour = 'red'").await;
    assert_eq!(
        newest(&org, "shop.things").await,
        json!([{ "field": "colour", "before": null, "after": "red" }])
    );
    let sql = "select (select count(*) from audit.tracked) = \
        (select count(*) from pg_proc where pronamespace = 'audit'::regnamespace and proname like 'changes\\_of\\_%')";
    assert!(
        admin.query_one(sql, &[]).await.unwrap().get::<_, bool>(0),
        "nothing is left of tables that are gone"
    );
}
