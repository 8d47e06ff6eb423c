//! Requests that are refused, by the planner or by PostgreSQL, and what never comes through.

use crate::shop::Shop;

#[tokio::test]
async fn refusals_have_their_code_and_status() {
    let shop = Shop::open().await;
    for (method, target, body, status, code) in [
        ("GET", "/nothing", "", 404, "PGRST205"),
        ("GET", "/a/b/c", "", 404, "PGRST125"),
        ("GET", "/orders/", "", 404, "PGRST125"),
        ("GET", "//orders", "", 404, "PGRST125"),
        ("TRACE", "/orders", "", 405, "PGRST117"),
        ("GET", "/orders?select=nothing", "", 400, "42703"),
        ("GET", "/orders?nothing=eq.1", "", 400, "42703"),
        ("GET", "/orders?order=nothing", "", 400, "42703"),
        ("GET", "/orders?id=eq.no-uuid", "", 400, "22P02"),
        ("GET", "/orders?number=eq.a%00b", "", 400, "22021"),
        ("GET", "/orders?select=number::nonsense", "", 400, "42704"),
        ("GET", "/orders?number=wrong.1", "", 400, "PGRST100"),
        ("GET", "/orders?limit=-1", "", 416, "PGRST103"),
        ("GET", "/orders?select=value.sum()", "", 400, "PGRST123"),
        ("GET", "/orders?select=number,suppler(name)", "", 400, "PGRST200"),
        ("GET", "/entries?select=people(name)", "", 300, "PGRST201"),
        ("GET", "/orders?suppliers.name=eq.x", "", 400, "PGRST108"),
        (
            "GET",
            "/orders?select=entries(amount)&order=entries(amount)",
            "",
            400,
            "PGRST118",
        ),
        (
            "GET",
            "/orders?select=suppliers(name)&suppliers=eq.x",
            "",
            400,
            "PGRST120",
        ),
        (
            "DELETE",
            "/orders?select=entries()&entries=is.null",
            "",
            400,
            "PGRST127",
        ),
        ("POST", "/orders", "not json", 400, "PGRST102"),
        ("POST", "/orders", r#"{"nothing":1}"#, 400, "PGRST204"),
        ("POST", "/orders?columns=nothing", "{}", 400, "PGRST204"),
        ("POST", "/suppliers", r#"{"name":"Acme"}"#, 409, "23505"),
        (
            "POST",
            "/entries",
            r#"{"amount":1,"order_id":"70000000-0000-0000-0000-000000000001"}"#,
            409,
            "23503",
        ),
        ("DELETE", "/suppliers", "", 409, "23503"),
        ("DELETE", "/either?id=eq.1", "", 405, "55000"),
        ("PATCH", "/either?id=eq.1", r#"{"id":2}"#, 405, "55000"),
        (
            "PATCH",
            "/orders?number=eq.PO-1",
            r#"{"value":"many"}"#,
            400,
            "22P02",
        ),
    ] {
        let answer = shop.send(method, target, &[], body).await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{method} {target}: {}",
            answer.body
        );
        for key in ["code", "message", "details", "hint"] {
            assert!(answer.body.get(key).is_some(), "{method} {target} has no {key}");
        }
    }
}

#[tokio::test]
async fn ambiguous_embeds_list_their_candidates() {
    let shop = Shop::open().await;
    let answer = shop.get("/entries?select=people(name)").await;
    let candidates = answer.body["details"].as_array().expect("a list");
    assert_eq!(candidates.len(), 2);
    assert_eq!(candidates[0]["cardinality"], "many-to-one");
    assert_eq!(
        answer.body["hint"],
        "Try changing 'people' to one of the following: 'people!entries_checker_fkey', 'people!entries_surveyor_fkey'. Find the desired relationship in the 'details' key."
    );
}

#[tokio::test]
async fn near_names_are_suggested() {
    let shop = Shop::open().await;
    assert_eq!(
        shop.get("/order").await.body["hint"],
        "Perhaps you meant the table 'shop.orders'"
    );
    let embed = shop.get("/orders?select=supplier(name)").await;
    assert_eq!(
        embed.body["hint"],
        "Perhaps you meant 'suppliers' instead of 'supplier'."
    );
}

#[tokio::test]
async fn schemas_media_types_and_wishes_are_negotiated() {
    let shop = Shop::open().await;
    let profile = shop
        .send("GET", "/orders", &[("accept-profile", "secret")], "")
        .await;
    assert_eq!((profile.status, profile.code()), (406, "PGRST106"));
    let media = shop.send("GET", "/orders", &[("accept", "image/png")], "").await;
    assert_eq!((media.status, media.code()), (406, "PGRST107"));
    let wish = shop
        .send("GET", "/orders", &[("prefer", "handling=strict, dance=now")], "")
        .await;
    assert_eq!((wish.status, wish.code()), (400, "PGRST122"));
    let body = shop
        .send("POST", "/orders", &[("content-type", "image/png")], "x")
        .await;
    assert_eq!((body.status, body.code()), (400, "PGRST102"));
}

#[tokio::test]
async fn hostile_text_is_only_ever_a_value_or_a_quoted_name() {
    let shop = Shop::open().await;
    let tricks = [
        "'; drop table shop.orders; --",
        "\"; drop table shop.orders; --",
        "\\'; select 1",
        "$$; select 1",
        "1) or (1=1",
        "%27%3B--",
        "/*",
    ];
    for trick in tricks {
        let encoded: String = form_urlencoded::byte_serialize(trick.as_bytes()).collect();
        let quoted: String = form_urlencoded::byte_serialize(
            format!("\"{}\"", trick.replace('\\', "\\\\").replace('"', "\\\"")).as_bytes(),
        )
        .collect();
        for target in [
            format!("/orders?number=eq.{encoded}"),
            format!("/orders?number=in.({quoted})"),
            format!("/orders?{quoted}=eq.1"),
            format!("/orders?select={quoted}"),
            format!("/orders?select=number::{encoded}"),
            format!("/orders?select=x:data-%3E{quoted}"),
            format!("/orders?select={quoted}:number"),
            format!("/orders?order={quoted}"),
            format!("/orders?or=(number.eq.{quoted})"),
            format!("/orders?number=fts({encoded}).x"),
            format!("/{encoded}"),
            format!("/rpc/{encoded}"),
            format!("/rpc/greet?name={encoded}"),
            format!("/orders?select={quoted}(id)"),
            format!("/orders?select=suppliers!{quoted}(id)"),
        ] {
            let answer = shop.get(&target).await;
            assert!(answer.status < 500, "{target}: {} {}", answer.status, answer.body);
            assert_eq!(
                shop.get("/orders?select=number")
                    .await
                    .body
                    .as_array()
                    .map(Vec::len),
                Some(3),
                "{target}"
            );
        }
        for body in [
            serde_json::json!({"name": trick}),
            serde_json::json!({trick: "x"}),
        ] {
            let answer = shop.send("POST", "/suppliers", &[], &body.to_string()).await;
            assert!(answer.status < 500, "{body}: {}", answer.body);
        }
    }
}
