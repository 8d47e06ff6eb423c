//! POST, PATCH, PUT and DELETE. Each request is rolled back.

use serde_json::{Value, json};

use crate::shop::{ORG_A, Shop};

const SHOW: (&str, &str) = ("prefer", "return=representation");

#[tokio::test]
async fn an_insert_gets_its_organisation_from_the_request() {
    let shop = Shop::open().await;
    let answer = shop
        .send(
            "POST",
            "/suppliers?select=org_id,name",
            &[SHOW],
            r#"{"name":"New"}"#,
        )
        .await;
    assert_eq!(
        (answer.status, answer.body),
        (201, json!([{"org_id": ORG_A.to_string(), "name": "New"}]))
    );
    let empty = shop.send("POST", "/suppliers?select=org_id", &[SHOW], "{}").await;
    assert_eq!((empty.status, empty.code()), (400, "23502"));
}

#[tokio::test]
async fn many_rows_are_one_parameter() {
    let shop = Shop::open().await;
    let answer = shop
        .send(
            "POST",
            "/suppliers?select=name&order=name",
            &[SHOW],
            r#"[{"name":"N1","city":null},{"name":"N2","city":"Bonn"}]"#,
        )
        .await;
    assert_eq!(
        (answer.status, answer.body),
        (201, json!([{"name": "N1"}, {"name": "N2"}]))
    );
    let none = shop.send("POST", "/suppliers", &[SHOW], "[]").await;
    assert_eq!((none.status, none.body), (201, json!([])));
    let csv = shop
        .send(
            "POST",
            "/suppliers?select=name,city",
            &[SHOW, ("content-type", "text/csv")],
            "name,city\nN3,NULL\n",
        )
        .await;
    assert_eq!(
        (csv.status, csv.body),
        (201, json!([{"name": "N3", "city": null}]))
    );
}

#[tokio::test]
async fn missing_keys_are_null_or_default_as_wished() {
    let shop = Shop::open().await;
    let rows = r#"[{"number":"X1","value":5},{"number":"X2"}]"#;
    let target = "/orders?columns=number,value&select=number,value&order=number";
    let null = shop.send("POST", target, &[SHOW], rows).await;
    assert_eq!((null.status, null.code()), (400, "23502"));
    let default = shop
        .send(
            "POST",
            target,
            &[("prefer", "return=representation, missing=default")],
            rows,
        )
        .await;
    assert_eq!(
        default.body,
        json!([{"number": "X1", "value": 5.00}, {"number": "X2", "value": 0.00}])
    );
    assert_eq!(
        default.header("preference-applied"),
        Some("missing=default, return=representation")
    );
    let uneven = shop.send("POST", "/orders", &[], rows).await;
    assert_eq!((uneven.status, uneven.code()), (400, "PGRST102"));
}

#[tokio::test]
async fn a_write_shows_embeds_of_what_it_changed() {
    let shop = Shop::open().await;
    let answer = shop
        .send(
            "POST",
            "/orders?select=number,title,suppliers(name)",
            &[SHOW],
            r#"{"number":"X1","supplier_id":"10000000-0000-0000-0000-000000000001"}"#,
        )
        .await;
    assert_eq!(
        answer.body,
        json!([{"number": "X1", "title": "Order X1", "suppliers": {"name": "Acme"}}])
    );
}

#[tokio::test]
async fn without_wish_a_write_answers_without_body() {
    let shop = Shop::open().await;
    let made = shop.send("POST", "/suppliers", &[], r#"{"name":"New"}"#).await;
    assert_eq!(
        (made.status, made.body.clone(), made.header("content-range")),
        (201, Value::Null, Some("*/*"))
    );
    let changed = shop
        .send(
            "PATCH",
            "/suppliers?name=eq.Acme",
            &[("prefer", "count=exact")],
            r#"{"city":"Köln"}"#,
        )
        .await;
    assert_eq!(
        (changed.status, changed.header("content-range")),
        (204, Some("0-0/1"))
    );
    let gone = shop.send("DELETE", "/entries?amount=eq.60", &[], "").await;
    assert_eq!((gone.status, gone.header("content-range")), (204, Some("*/*")));
}

#[tokio::test]
async fn headers_only_tell_where_the_new_row_is() {
    let shop = Shop::open().await;
    let id = "70000000-0000-0000-0000-000000000001";
    let answer = shop
        .send(
            "POST",
            "/suppliers",
            &[("prefer", "return=headers-only")],
            &format!(r#"{{"name":"New","id":"{id}"}}"#),
        )
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (201, Some(format!("/suppliers?id=eq.{id}").as_str()))
    );
}

#[tokio::test]
async fn updates_and_deletes_stay_in_the_organisation() {
    let shop = Shop::open().await;
    let id = "10000000-0000-0000-0000-000000000001";
    let changed = shop
        .send(
            "PATCH",
            &format!("/suppliers?id=eq.{id}&select=name,city"),
            &[SHOW],
            r#"{"city":"Oslo"}"#,
        )
        .await;
    assert_eq!(
        (changed.status, changed.body),
        (200, json!([{"name": "Acme", "city": "Oslo"}]))
    );
    let all = shop
        .send("DELETE", "/entries?select=amount&order=amount", &[SHOW], "")
        .await;
    assert_eq!(
        (all.status, all.body),
        (200, json!([{"amount": 60.00}, {"amount": 140.00}]))
    );
    let nothing = shop.send("PATCH", "/suppliers?select=name", &[SHOW], "{}").await;
    assert_eq!((nothing.status, nothing.body), (200, json!([])));
}

#[tokio::test]
async fn upserts_merge_or_ignore_by_a_key_that_clients_name_without_the_organisation() {
    let shop = Shop::open().await;
    let rows = r#"[{"name":"Acme","city":"Oslo"},{"name":"New","city":"Rome"}]"#;
    let target = "/suppliers?on_conflict=name&select=name,city&order=name";
    let merged = shop
        .send(
            "POST",
            target,
            &[("prefer", "resolution=merge-duplicates, return=representation")],
            rows,
        )
        .await;
    assert_eq!(
        (merged.status, merged.body),
        (
            201,
            json!([{"name": "Acme", "city": "Oslo"}, {"name": "New", "city": "Rome"}])
        )
    );
    let ignored = shop
        .send(
            "POST",
            target,
            &[("prefer", "resolution=ignore-duplicates, return=representation")],
            rows,
        )
        .await;
    assert_eq!(
        (ignored.status, ignored.body),
        (201, json!([{"name": "New", "city": "Rome"}]))
    );
    let only_old = shop
        .send(
            "POST",
            target,
            &[("prefer", "resolution=merge-duplicates, return=representation")],
            r#"[{"name":"Acme","city":"X"}]"#,
        )
        .await;
    assert_eq!(
        (only_old.status, only_old.header("preference-applied")),
        (200, Some("resolution=merge-duplicates, return=representation"))
    );
}

#[tokio::test]
async fn put_replaces_or_makes_exactly_one_row() {
    let shop = Shop::open().await;
    let old = "10000000-0000-0000-0000-000000000001";
    let new = "70000000-0000-0000-0000-000000000001";
    let put = async |id: &str, body: String| {
        shop.send(
            "PUT",
            &format!("/suppliers?id=eq.{id}&select=name"),
            &[SHOW],
            &body,
        )
        .await
    };
    let replaced = put(old, format!(r#"{{"id":"{old}","name":"Acme 2","city":null}}"#)).await;
    assert_eq!(
        (replaced.status, replaced.body),
        (200, json!([{"name": "Acme 2"}]))
    );
    let made = put(new, format!(r#"{{"id":"{new}","name":"Fresh","city":null}}"#)).await;
    assert_eq!((made.status, made.body), (201, json!([{"name": "Fresh"}])));
    let other = put(old, format!(r#"{{"id":"{new}","name":"Fresh","city":null}}"#)).await;
    assert_eq!((other.status, other.code()), (400, "PGRST115"));
    let by_name = shop
        .send("PUT", "/suppliers?name=eq.Acme", &[], r#"{"name":"Acme"}"#)
        .await;
    assert_eq!((by_name.status, by_name.code()), (405, "PGRST105"));
    let keyless = put(old, r#"{"name":"Acme"}"#.to_owned()).await;
    assert_eq!((keyless.status, keyless.code()), (400, "PGRST115"));
    let loose = shop
        .send(
            "PUT",
            &format!("/suppliers?id=gt.{old}"),
            &[],
            &format!(r#"{{"id":"{old}","name":"x"}}"#),
        )
        .await;
    assert_eq!((loose.status, loose.code()), (405, "PGRST105"));
    let limited = shop
        .send("PUT", &format!("/suppliers?id=eq.{old}&limit=1"), &[], "{}")
        .await;
    assert_eq!((limited.status, limited.code()), (400, "PGRST114"));
}

#[tokio::test]
async fn more_rows_than_wished_are_refused() {
    let shop = Shop::open().await;
    let wishes = [("prefer", "handling=strict, max-affected=1")];
    let refused = shop
        .send("PATCH", "/suppliers?name=neq.x", &wishes, r#"{"city":"x"}"#)
        .await;
    assert_eq!((refused.status, refused.code()), (400, "PGRST124"));
    let granted = shop
        .send("PATCH", "/suppliers?name=eq.Acme", &wishes, r#"{"city":"x"}"#)
        .await;
    assert_eq!(
        (granted.status, granted.header("preference-applied")),
        (204, Some("handling=strict, max-affected=1"))
    );
}

#[tokio::test]
async fn defaults_fill_an_empty_object() {
    let shop = Shop::open().await;
    let answer = shop.send("POST", "/notes?select=body", &[SHOW], "{}").await;
    assert_eq!((answer.status, answer.body), (201, json!([{"body": "empty"}])));
    let two = shop.send("POST", "/notes?select=body", &[SHOW], "[{},{}]").await;
    assert_eq!(two.body, json!([{"body": "empty"}, {"body": "empty"}]));
}

#[tokio::test]
async fn with_a_raising_function_the_statement_itself_refuses_what_must_not_stand() {
    let mut shop = Shop::open().await;
    shop.settings.raise = Some(tenon_data_api::schema_cache::QualifiedName::new(
        "kernel", "raise",
    ));
    let object = ("accept", "application/vnd.pgrst.object+json");
    let limit = ("prefer", "handling=strict, max-affected=1");
    let id = "10000000-0000-0000-0000-000000000001";
    for (method, target, headers, body, status, code) in [
        (
            "PATCH",
            "/suppliers",
            vec![limit],
            r#"{"city":"x"}"#,
            400,
            "PGRST124",
        ),
        (
            "PATCH",
            "/suppliers",
            vec![object, SHOW],
            r#"{"city":"x"}"#,
            406,
            "PGRST116",
        ),
        (
            "PUT",
            &format!("/suppliers?id=eq.{id}"),
            vec![],
            r#"{"id":"70000000-0000-0000-0000-000000000001","name":"x"}"#,
            400,
            "PGRST115",
        ),
    ] {
        let (_, plan) = shop.compile(method, target, &headers, body).expect("plans");
        assert!(!plan.checks_before_commit());
        let answer = shop.send(method, target, &headers, body).await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{method} {target}: {}",
            answer.body
        );
    }
    let one = shop
        .send(
            "POST",
            "/suppliers?select=name",
            &[object, SHOW],
            r#"{"name":"New"}"#,
        )
        .await;
    assert_eq!((one.status, one.body), (201, json!({"name": "New"})));
    let made = shop
        .send(
            "POST",
            "/rpc/insert_note?select=body",
            &[object],
            r#"{"body":"x"}"#,
        )
        .await;
    assert_eq!((made.status, made.body), (200, json!({"body": "x"})));
}
