//! What a write's body and wishes may look like. Each request is rolled back.

use serde_json::{Value, json};

use crate::shop::Shop;

const SHOW: (&str, &str) = ("prefer", "return=representation");
const DEFAULTS: (&str, &str) = ("prefer", "missing=default, return=representation");

#[tokio::test]
async fn defaults_come_from_the_column_the_domain_the_identity_and_the_view() {
    let shop = Shop::open().await;
    let answer = shop
        .send(
            "POST",
            "/parts?columns=id,code,grade,better,stock&select=code,grade,better,stock,stock_double",
            &[DEFAULTS],
            r#"[{"code":"a"},{"code":"b","grade":null,"stock":3}]"#,
        )
        .await;
    assert_eq!(
        (answer.status, answer.body),
        (
            201,
            json!([
                {"code": "a", "grade": "B", "better": "A", "stock": 5, "stock_double": 10},
                {"code": "b", "grade": null, "better": "A", "stock": 3, "stock_double": 6},
            ])
        )
    );
    let view = shop
        .send(
            "POST",
            "/stocked?columns=code,stock&select=code,stock",
            &[DEFAULTS],
            r#"{"code":"c"}"#,
        )
        .await;
    assert_eq!(view.body, json!([{"code": "c", "stock": 7}]));
    let generated = shop
        .send(
            "POST",
            "/parts?columns=code,stock_double",
            &[DEFAULTS],
            r#"[{"code":"a"},{"code":"b","stock_double":1}]"#,
        )
        .await;
    assert_eq!((generated.status, generated.code()), (400, "428C9"));
    let updated = shop
        .send(
            "PATCH",
            "/parts?code=eq.bolt&columns=stock,grade&select=stock,grade",
            &[DEFAULTS],
            r#"{"grade":"C"}"#,
        )
        .await;
    assert_eq!(
        (updated.status, updated.header("preference-applied")),
        (200, Some("missing=default, return=representation"))
    );
    assert_eq!(updated.body, json!([{"stock": 5, "grade": "C"}]));
}

#[tokio::test]
async fn json_is_stored_as_it_came() {
    let shop = Shop::open().await;
    let body = r#"{"code":"a","extra":{"k":1,"k":2,"n":[1,{}]}}"#;
    let answer = shop
        .send("POST", "/parts?select=extra::text", &[SHOW], body)
        .await;
    assert_eq!(answer.body, json!([{"extra": r#"{"k":1,"k":2,"n":[1,{}]}"#}]));
}

#[tokio::test]
async fn bodies_that_are_no_rows_are_refused_or_nothing() {
    let shop = Shop::open().await;
    for (target, body, status, code, message) in [
        ("/parts", "", 400, "PGRST102", "Empty or invalid json"),
        ("/parts", "}{", 400, "PGRST102", "Empty or invalid json"),
        (
            "/parts",
            r#"[{"code":"a"},1]"#,
            400,
            "PGRST102",
            "All object keys must match",
        ),
        ("/parts", "[1]", 400, "PGRST102", "All object keys must match"),
        ("/parts?columns=code", r#"[{"code":"a"},1]"#, 400, "22023", ""),
        (
            "/parts?columns=code",
            "{",
            400,
            "22P02",
            "invalid input syntax for type json",
        ),
        (
            "/parts",
            r#"{"zz":1,"aa":2}"#,
            400,
            "PGRST204",
            "Could not find the 'aa' column of 'parts' in the schema cache",
        ),
    ] {
        for method in ["POST", "PATCH"] {
            let answer = shop.send(method, target, &[], body).await;
            assert_eq!(
                (answer.status, answer.code()),
                (status, code),
                "{method} {target} {body}: {}",
                answer.body
            );
            if !message.is_empty() {
                assert_eq!(answer.body["message"], message);
            }
        }
    }
    for nothing in ["1", "null", "\"x\"", "[]"] {
        let answer = shop.send("POST", "/parts", &[SHOW], nothing).await;
        assert_eq!((answer.status, answer.body), (201, json!([])), "{nothing}");
        let answer = shop.send("PATCH", "/parts", &[], nothing).await;
        assert_eq!(
            (answer.status, answer.header("content-range")),
            (204, Some("*/*")),
            "{nothing}"
        );
    }
}

#[tokio::test]
async fn forms_and_tables_of_text_are_bodies_too() {
    let shop = Shop::open().await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let answer = shop
        .send(
            "POST",
            "/parts?select=code,stock",
            &[SHOW, form],
            "code=a+b%26c&stock=7",
        )
        .await;
    assert_eq!(answer.body, json!([{"code": "a b&c", "stock": 7}]));
    let csv = ("content-type", "text/csv");
    let uneven = shop.send("POST", "/parts", &[csv], "code,stock\na,1\nb").await;
    assert_eq!((uneven.status, uneven.code()), (400, "PGRST102"));
    assert_eq!(
        uneven.body["message"],
        "All lines must have same number of fields"
    );
    let other = shop
        .send("POST", "/parts", &[("content-type", "application/yaml")], "a: 1")
        .await;
    assert_eq!(
        (other.status, &other.body["message"]),
        (400, &json!("Content-Type not acceptable: application/yaml"))
    );
}

#[tokio::test]
async fn views_are_written_through_their_triggers() {
    let shop = Shop::open().await;
    let answer = shop
        .send("POST", "/part_codes", &[SHOW], r#"{"code":"washer"}"#)
        .await;
    assert_eq!(
        (answer.status, answer.body),
        (201, json!([{"code": "washer", "loud": "WASHER"}]))
    );
}

#[tokio::test]
async fn a_time_zone_is_applied_and_named_or_refused_by_the_database() {
    let shop = Shop::open().await;
    let seen = async |wish: &str| {
        shop.send("GET", "/parts?select=seen&code=eq.bolt", &[("prefer", wish)], "")
            .await
    };
    let berlin = seen("timezone=Europe/Berlin").await;
    assert_eq!(berlin.body, json!([{"seen": "2025-06-01T14:00:00+02:00"}]));
    assert_eq!(
        berlin.header("preference-applied"),
        Some("timezone=Europe/Berlin")
    );
    let offset = seen("handling=strict, timezone=-4").await;
    assert_eq!(offset.body, json!([{"seen": "2025-06-01T08:00:00-04:00"}]));
    for wish in ["timezone=Moon/Base", "handling=strict, timezone=Moon/Base"] {
        let refused = seen(wish).await;
        assert_eq!((refused.status, refused.code()), (400, "22023"), "{wish}");
        assert_eq!(
            refused.body["message"],
            "invalid value for parameter \"TimeZone\": \"Moon/Base\""
        );
    }
    let changed = shop
        .send(
            "PATCH",
            "/parts?code=eq.bolt&select=seen",
            &[("prefer", "timezone=-4, return=representation")],
            r#"{"seen":"2025-06-01 08:00:00"}"#,
        )
        .await;
    assert_eq!(changed.body, json!([{"seen": "2025-06-01T08:00:00-04:00"}]));
    assert_eq!(
        changed.header("preference-applied"),
        Some("return=representation, timezone=-4")
    );
}

#[tokio::test]
async fn only_counts_that_are_counted_are_told_of_a_write() {
    let shop = Shop::open().await;
    for (wish, range) in [
        ("count=exact", "0-1/2"),
        ("count=estimated", "0-1/2"),
        ("count=planned", "0-1/*"),
    ] {
        let answer = shop
            .send("PATCH", "/parts", &[("prefer", wish)], r#"{"stock":1}"#)
            .await;
        assert_eq!(
            (
                answer.header("content-range"),
                answer.header("preference-applied")
            ),
            (Some(range), Some(wish))
        );
    }
    let one = shop
        .send("DELETE", "/parts?code=eq.nut", &[("prefer", "count=exact")], "")
        .await;
    assert_eq!(one.header("content-range"), Some("*/1"));
}

#[tokio::test]
async fn tables_without_a_key_take_rows_but_tell_no_place() {
    let shop = Shop::open().await;
    let answer = shop
        .send(
            "POST",
            "/marks",
            &[("prefer", "return=headers-only, resolution=merge-duplicates")],
            r#"{"place":"here","mark":null}"#,
        )
        .await;
    assert_eq!(
        (
            answer.status,
            answer.header("location"),
            answer.header("preference-applied")
        ),
        (201, None, Some("return=headers-only"))
    );
    let put = shop
        .send("PUT", "/marks?place=eq.here", &[], r#"{"place":"here"}"#)
        .await;
    assert_eq!((put.status, put.code()), (405, "PGRST105"));
    let deleted = shop
        .send("DELETE", "/marks?place=eq.a b%26c/d", &[SHOW], "")
        .await;
    assert_eq!(deleted.body, json!([{"place": "a b&c/d", "mark": "x"}]));
    assert_ne!(deleted.body, Value::Null);
}
