//! A line for each row. The shop compares what is sent row by row with what one statement makes of all rows.

use serde_json::{Value, json};

use crate::shop::{Answer, Shop};

const LINES: &str = "application/x-ndjson";

async fn get(shop: &Shop, target: &str, headers: &[(&str, &str)]) -> Answer {
    shop.send("GET", target, &[headers, &[("accept", LINES)]].concat(), "")
        .await
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.raw).into_owned()
}

#[tokio::test]
async fn each_row_is_a_line_of_json() {
    let shop = Shop::open().await;
    for (target, expected) in [
        (
            "/suppliers?select=name,city&order=name",
            "{\"name\":\"Acme\",\"city\":\"Bonn\"}\n{\"name\":\"Bolt\",\"city\":null}\n",
        ),
        ("/suppliers?name=eq.nobody", ""),
        ("/rpc/numbers?most=2", "1\n2\n"),
        ("/rpc/add?a=1", "11\n"),
        ("/rpc/greet?name=x", "\"hello x\"\n"),
        ("/rpc/pair", "{\"a\":1,\"b\":\"x\"}\n"),
        ("/rpc/numbers?most=0", ""),
    ] {
        let answer = get(&shop, target, &[]).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("application/x-ndjson; charset=utf-8")),
            "{target}: {}",
            answer.body
        );
        assert_eq!(text(&answer), expected, "{target}");
    }
    for name in ["application/ndjson", "application/jsonl"] {
        let answer = shop.send("GET", "/suppliers", &[("accept", name)], "").await;
        assert_eq!(
            answer.header("content-type"),
            Some(format!("{name}; charset=utf-8").as_str())
        );
    }
}

#[tokio::test]
async fn lines_have_the_rows_of_an_array() {
    let mut shop = Shop::open().await;
    shop.settings.aggregates = true;
    for target in [
        "/orders?order=number",
        "/orders?select=number,supplier:suppliers(name),entries(amount,id)&order=number.desc",
        "/orders?select=number,...suppliers(name)&order=number&limit=1&offset=1",
        "/orders?select=number,entries!inner(amount)&entries.amount=gt.1&order=number",
        "/orders?select=title,number&number=in.(PO-1,PO-3)&order=number",
        "/orders?select=level,count()&order=level",
        "/rpc/orders_above?lowest=1&select=number,suppliers(name)&order=number",
    ] {
        let array = shop.send("GET", target, &[], "").await;
        let lines = get(&shop, target, &[]).await;
        let rows: Vec<Value> = text(&lines)
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is JSON"))
            .collect();
        assert_eq!((lines.status, &Value::from(rows)), (200, &array.body), "{target}");
        assert_eq!(
            lines.header("content-range"),
            array.header("content-range"),
            "{target}"
        );
    }
}

#[tokio::test]
async fn counts_pages_and_limits_are_those_of_any_answer() {
    let mut shop = Shop::open().await;
    for accept in [LINES, "text/csv", "application/json"] {
        for (target, wish, status, range) in [
            ("/orders?order=number&limit=1", "count=exact", 206, "0-0/3"),
            (
                "/orders?order=number&limit=1&offset=2",
                "count=exact",
                206,
                "2-2/3",
            ),
            ("/orders?order=number&limit=1", "count=none", 200, "0-0/*"),
            ("/orders", "count=exact", 200, "0-2/3"),
            ("/orders?number=eq.none", "count=exact", 200, "*/0"),
            ("/orders?offset=9", "count=exact", 416, "*/3"),
            ("/orders?limit=2", "count=estimated", 206, "0-1/3"),
            ("/rpc/numbers?most=5&limit=2", "count=exact", 206, "0-1/5"),
            ("/rpc/numbers?most=5&offset=7", "count=exact", 416, "*/5"),
        ] {
            let headers = [("accept", accept), ("prefer", wish)];
            let answer = shop.send("GET", target, &headers, "").await;
            let told = (answer.status, answer.header("content-range"));
            assert_eq!(told, (status, Some(range)), "{accept} {target}: {}", answer.body);
            let head = shop.send("HEAD", target, &headers, "").await;
            assert_eq!((head.status, head.header("content-range")), (status, Some(range)));
            assert_eq!(head.raw.is_empty(), status != 416, "{accept} {target}");
        }
    }
    shop.settings.max_rows = Some(2);
    let answer = get(&shop, "/orders?select=number&order=number", &[]).await;
    assert_eq!(text(&answer).lines().count(), 2);
}

#[tokio::test]
async fn functions_set_status_and_headers_of_lines_too() {
    let shop = Shop::open().await;
    let answer = get(&shop, "/rpc/teapot", &[]).await;
    assert_eq!((answer.status, text(&answer).as_str()), (418, "\"I am\"\n"));
}

#[tokio::test]
async fn writes_and_volatile_functions_answer_in_lines_when_they_are_done() {
    let shop = Shop::open().await;
    let headers = [("accept", LINES), ("prefer", "return=representation")];
    let rows = json!([{"name": "New"}, {"name": "Newer"}]).to_string();
    let made = shop.send("POST", "/suppliers?select=name", &headers, &rows).await;
    assert_eq!(
        (made.status, text(&made).as_str()),
        (201, "{\"name\":\"New\"}\n{\"name\":\"Newer\"}\n")
    );
    let called = shop
        .send(
            "POST",
            "/rpc/insert_note?select=body",
            &headers,
            r#"{"body":"x"}"#,
        )
        .await;
    assert_eq!(
        (called.status, text(&called).as_str()),
        (200, "{\"body\":\"x\"}\n"),
        "{}",
        called.body
    );
}

#[tokio::test]
async fn errors_before_the_first_line_are_answers() {
    let shop = Shop::open().await;
    for (target, code) in [
        ("/orders?select=none", "42703"),
        ("/orders?value=eq.many", "22P02"),
        ("/orders?order=number.up", "PGRST100"),
    ] {
        let answer = get(&shop, target, &[]).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{target}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/json; charset=utf-8")
        );
    }
}
