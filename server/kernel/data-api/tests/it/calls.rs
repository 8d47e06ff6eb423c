//! Function calls.

use serde_json::{Value, json};

use crate::shop::Shop;

#[tokio::test]
async fn arguments_come_by_name_and_may_be_left_to_their_defaults() {
    let shop = Shop::open().await;
    for (target, body, expected) in [
        ("/rpc/add", r#"{"a":1,"b":2}"#, json!(3)),
        ("/rpc/add", r#"{"a":1}"#, json!(11)),
        ("/rpc/greet", r#"{"name":"Ann"}"#, json!("hello Ann")),
        (
            "/rpc/greet",
            r#"{"name":"Ann","title":"Dr"}"#,
            json!("hello Dr Ann"),
        ),
        ("/rpc/numbers", r#"{"most":3}"#, json!([1, 2, 3])),
        ("/rpc/pair", "{}", json!({"a": 1, "b": "x"})),
        ("/rpc/pair", "", json!({"a": 1, "b": "x"})),
        ("/rpc/total", r#"{"amounts":[1,2.5]}"#, json!(3.5)),
        ("/rpc/keys", r#"{"x":1,"y":2}"#, json!(["x", "y"])),
    ] {
        let answer = shop.send("POST", target, &[], body).await;
        assert_eq!((answer.status, answer.body), (200, expected), "{target} {body}");
    }
    for (target, expected) in [
        ("/rpc/add?a=1&b=2", json!(3)),
        ("/rpc/add?a=1", json!(11)),
        ("/rpc/total?amounts=1&amounts=2.5", json!(3.5)),
        ("/rpc/numbers?most=3&limit=2", json!([1, 2])),
    ] {
        let answer = shop.get(target).await;
        assert_eq!((answer.status, answer.body), (200, expected), "{target}");
    }
    let bytes = shop
        .send(
            "POST",
            "/rpc/size",
            &[("content-type", "application/octet-stream")],
            "abc",
        )
        .await;
    assert_eq!(bytes.body, json!(3));
}

#[tokio::test]
async fn sets_of_rows_are_filtered_sorted_embedded_and_counted() {
    let shop = Shop::open().await;
    let answer = shop
        .send(
            "POST",
            "/rpc/orders_above?select=number,suppliers(name)&order=number&number=neq.PO-3&limit=1",
            &[("prefer", "count=exact")],
            r#"{"lowest":1}"#,
        )
        .await;
    assert_eq!(
        (answer.status, answer.header("content-range")),
        (206, Some("0-0/2"))
    );
    assert_eq!(
        answer.body,
        json!([{"number": "PO-1", "suppliers": {"name": "Acme"}}])
    );
}

#[tokio::test]
async fn functions_without_result_answer_204() {
    let shop = Shop::open().await;
    let answer = shop.send("POST", "/rpc/nothing", &[], "{}").await;
    assert_eq!((answer.status, answer.body), (204, Value::Null));
}

#[tokio::test]
async fn get_must_not_write() {
    let shop = Shop::open().await;
    let refused = shop.get("/rpc/insert_note?body=x").await;
    assert_eq!((refused.status, refused.code()), (405, "25006"));
    let made = shop
        .send("POST", "/rpc/insert_note?select=body", &[], r#"{"body":"x"}"#)
        .await;
    assert_eq!((made.status, made.body), (200, json!({"body": "x"})));
    let put = shop.send("PUT", "/rpc/add", &[], "{}").await;
    assert_eq!((put.status, put.code()), (405, "PGRST101"));
}

#[tokio::test]
async fn overloads_that_cannot_be_told_apart_are_listed() {
    let shop = Shop::open().await;
    let answer = shop.send("POST", "/rpc/same", &[], r#"{"a":1}"#).await;
    assert_eq!((answer.status, answer.code()), (300, "PGRST203"));
    let message = answer.body["message"].as_str().expect("told");
    assert!(
        message.contains("shop.same(a => integer), shop.same(a => text)"),
        "{message}"
    );
}

#[tokio::test]
async fn unknown_functions_and_arguments_are_told_with_the_nearest() {
    let shop = Shop::open().await;
    let name = shop.send("POST", "/rpc/grete", &[], r#"{"name":"x"}"#).await;
    assert_eq!((name.status, name.code()), (404, "PGRST202"));
    assert_eq!(
        name.body["hint"],
        "Perhaps you meant to call the function shop.greet"
    );
    let argument = shop.get("/rpc/add_one?num=1").await;
    assert_eq!(
        argument.body["message"],
        "Could not find the function shop.add_one(num) in the schema cache"
    );
    assert_eq!(
        argument.body["hint"],
        "Perhaps you meant to call the function shop.add_one(n)"
    );
}

#[tokio::test]
async fn functions_set_status_and_headers_and_raise_their_own_errors() {
    let shop = Shop::open().await;
    let pot = shop.get("/rpc/teapot").await;
    assert_eq!(
        (pot.status, pot.header("x-pot"), pot.body.clone()),
        (418, Some("short"), json!("I am"))
    );
    let refused = shop.send("POST", "/rpc/refuse", &[], "{}").await;
    assert_eq!((refused.status, refused.code()), (409, "shop.already_done"));
    assert_eq!(refused.body["hint"], "Stop.");
}

#[tokio::test]
async fn forms_arrays_and_csv_carry_arguments() {
    let shop = Shop::open().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let csv = [("content-type", "text/csv")];
    for (target, headers, body, expected) in [
        ("/rpc/total", &form[..], "amounts=1&amounts=2.5", json!(3.5)),
        ("/rpc/greet", &form[..], "name=Ann&name=Bob", json!("hello Bob")),
        ("/rpc/add", &csv[..], "a,b\n1,2\n3,4", json!(3)),
        ("/rpc/add", &[], r#"[{"a":1,"b":2},{"a":5,"b":6}]"#, json!(3)),
    ] {
        let answer = shop.send("POST", target, headers, body).await;
        assert_eq!((answer.status, answer.body), (200, expected), "{target} {body}");
    }
    let uneven = shop
        .send("POST", "/rpc/add", &[], r#"[{"a":1,"b":2},{"a":5}]"#)
        .await;
    assert_eq!((uneven.status, uneven.code()), (400, "PGRST102"));
}

#[tokio::test]
async fn records_domains_and_types_of_any_length() {
    let shop = Shop::open().await;
    for (target, expected) in [
        ("/rpc/first_pair", json!({"a": 1, "b": "x"})),
        (
            "/rpc/pairs",
            json!([{"column1": 1, "column2": "x"}, {"column1": 2, "column2": "y"}]),
        ),
        (
            "/rpc/supplier_domain?select=name,orders(number)",
            json!([{"name": "Acme", "orders": [{"number": "PO-1"}]}]),
        ),
        (
            "/rpc/fixed?code=abc&bits=101",
            json!([{"code": "abc", "bits": "101"}]),
        ),
    ] {
        let answer = shop.get(target).await;
        assert_eq!((answer.status, answer.body), (200, expected), "{target}");
    }
    let posted = shop
        .send("POST", "/rpc/fixed", &[], r#"{"code":"abc","bits":"101"}"#)
        .await;
    assert_eq!(posted.body, json!([{"code": "abc", "bits": "101"}]));
}

#[tokio::test]
async fn a_body_that_is_one_value_needs_a_function_that_takes_it() {
    let shop = Shop::open().await;
    let answer = shop
        .send("POST", "/rpc/greet", &[("content-type", "text/plain")], "x")
        .await;
    assert_eq!((answer.status, answer.code()), (404, "PGRST202"));
    assert_eq!(
        answer.body["details"],
        "Searched for the function shop.greet with a single unnamed text parameter, but no matches were found in the schema cache."
    );
    assert_eq!(answer.body["hint"], Value::Null);
}
