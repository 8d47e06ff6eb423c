//! What answers are written in.

use serde_json::json;

use crate::shop::{Answer, Shop};

async fn get(shop: &Shop, target: &str, accept: &str) -> Answer {
    shop.send("GET", target, &[("accept", accept)], "").await
}

#[tokio::test]
async fn rows_are_written_as_csv() {
    let shop = Shop::open().await;
    for (target, expected) in [
        (
            "/suppliers?select=name,city&order=name",
            "name,city\nAcme,Bonn\nBolt,",
        ),
        (
            "/orders?select=number,suppliers(name),entries(amount)&number=eq.PO-2",
            "number,suppliers,entries\nPO-2,\"{\"\"name\"\": \"\"Bolt\"\"}\",[]",
        ),
        ("/suppliers?name=eq.nobody", "\n"),
        ("/rpc/numbers?most=2", "pgrst_scalar\n1\n2"),
        ("/rpc/pair", "a,b\n1,x"),
    ] {
        let answer = get(&shop, target, "text/csv").await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("text/csv; charset=utf-8")),
            "{target}: {}",
            answer.body
        );
        assert_eq!(String::from_utf8_lossy(&answer.raw), expected, "{target}");
    }
    let made = shop
        .send(
            "POST",
            "/suppliers?select=name",
            &[("accept", "text/csv"), ("prefer", "return=representation")],
            r#"{"name":"New"}"#,
        )
        .await;
    assert_eq!((made.status, made.raw.as_ref()), (201, &b"name\nNew"[..]));
}

#[tokio::test]
async fn functions_make_media_types_of_their_own() {
    let shop = Shop::open().await;
    for (target, accept, media, body) in [
        (
            "/rpc/drawing?title=x",
            "text/html, image/svg+xml;q=0.9, */*;q=0.1",
            "image/svg+xml",
            &b"<svg>x</svg>"[..],
        ),
        (
            "/rpc/packed?number=PO-1",
            "application/vnd.shop.packed",
            "application/vnd.shop.packed",
            b"\x00\xff",
        ),
        (
            "/rpc/packed?number=none",
            "application/vnd.shop.packed",
            "application/vnd.shop.packed",
            b"",
        ),
        (
            "/rpc/counted",
            "application/vnd.shop.count+json",
            "application/vnd.shop.count+json",
            b"\x01{\"count\": 2}",
        ),
        ("/rpc/anything", "*/*", "text/x-any", b"any"),
        ("/rpc/anything", "crazy/bingo", "text/x-any", b"any"),
    ] {
        let answer = get(&shop, target, accept).await;
        assert_eq!(
            (answer.status, answer.header("content-type"), answer.raw.as_ref()),
            (200, Some(media), body),
            "{target}"
        );
    }
    let json = get(&shop, "/rpc/drawing?title=x", "application/json").await;
    assert_eq!(json.body, json!("<svg>x</svg>"));
    let refused = get(&shop, "/rpc/drawing?title=x", "text/plain, image/png").await;
    assert_eq!((refused.status, refused.code()), (406, "PGRST107"));
    assert_eq!(
        refused.body["message"],
        "None of these media types are available: text/plain, image/png"
    );
}

#[tokio::test]
async fn aggregates_make_media_types_of_rows() {
    let shop = Shop::open().await;
    let packed = get(&shop, "/suppliers?order=name", "application/vnd.shop.packed").await;
    assert_eq!(
        (packed.status, packed.raw.as_ref()),
        (200, &b"Acme;Bolt;"[..]),
        "{}",
        packed.body
    );
    // It takes whole rows of this relation, and of no other.
    for target in ["/suppliers?select=name", "/orders"] {
        let refused = get(&shop, target, "application/vnd.shop.packed").await;
        assert_eq!(refused.status, 406, "{target}");
    }
    let any = get(
        &shop,
        "/suppliers?select=name,city&order=name",
        "text/tab-separated-values",
    )
    .await;
    assert_eq!(String::from_utf8_lossy(&any.raw), "Acme\tBonn\nBolt\n");
}

#[tokio::test]
async fn plans_are_shown_where_the_operator_allows_it() {
    let mut shop = Shop::open().await;
    let refused = get(&shop, "/orders", "application/vnd.pgrst.plan").await;
    assert_eq!((refused.status, refused.code()), (406, "PGRST107"));
    shop.settings.plan_enabled = true;
    let text = get(&shop, "/orders?number=eq.PO-1", "application/vnd.pgrst.plan").await;
    assert_eq!(
        (text.status, text.header("content-type")),
        (
            200,
            Some("application/vnd.pgrst.plan+text; for=\"application/json\"; charset=utf-8")
        )
    );
    assert!(text.raw.starts_with(b"Aggregate"), "{:?}", text.raw);
    assert_eq!(text.header("content-range"), None);
    let accept =
        "application/vnd.pgrst.plan+json; for=\"application/vnd.pgrst.object\"; options=verbose|analyze";
    let json = get(&shop, "/suppliers", accept).await;
    assert!(json.body[0]["Plan"]["Output"][2].is_string(), "{}", json.body);
    assert!(json.body[0]["Execution Time"].is_number());
    let write = shop
        .send(
            "DELETE",
            "/orders",
            &[("accept", "application/vnd.pgrst.plan+json")],
            "",
        )
        .await;
    assert_eq!(write.status, 200);
    assert!(write.body[0]["Plan"].is_object());
    let call = get(&shop, "/rpc/add?a=1", "application/vnd.pgrst.plan+json").await;
    assert!(call.body[0]["Plan"].is_object());
}

#[tokio::test]
async fn features_need_postgis() {
    let shop = Shop::open().await;
    let answer = get(&shop, "/suppliers", "application/geo+json").await;
    if shop.cache.geojson().is_none() {
        assert_eq!((answer.status, answer.code()), (404, "42883"));
    }
}
