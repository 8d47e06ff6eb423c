//! Values of domains that are shown and read by casts.

use serde_json::json;

use crate::shop::Shop;

#[tokio::test]
async fn values_are_shown_as_their_domain_says() {
    let shop = Shop::open().await;
    for (target, expected) in [
        (
            "/paints?select=id,colour&order=id",
            json!([{"id": 1, "colour": "#0000ff"}, {"id": 2, "colour": "#aa2219"}, {"id": 3, "colour": null}]),
        ),
        (
            "/paints?id=eq.1",
            json!([{"id": 1, "name": "Sky", "colour": "#0000ff"}]),
        ),
        (
            "/paints?id=eq.1&select=c:colour,plain:colour::text",
            json!([{"c": "#0000ff", "plain": "\"#0000ff\""}]),
        ),
        (
            "/walls?order=id&select=id,paints(colour)",
            json!([{"id": 1, "paints": {"colour": "#aa2219"}}, {"id": 2, "paints": null}]),
        ),
        (
            "/walls?id=eq.1&select=paints(*)",
            json!([{"paints": {"id": 2, "name": "Brick", "colour": "#aa2219"}}]),
        ),
    ] {
        let answer = shop.get(target).await;
        assert_eq!((answer.status, answer.body), (200, expected), "{target}");
    }
}

#[tokio::test]
async fn filters_are_read_as_the_domain_says() {
    let shop = Shop::open().await;
    for (filter, expected) in [
        ("colour=eq.0000ff", json!([1])),
        ("colour=in.(0000ff,aa2219)", json!([1, 2])),
        ("colour=eq(any).{0000ff,000000}", json!([1])),
        ("colour=not.in.(0000ff)", json!([2])),
        ("colour=isdistinct.0000ff", json!([2, 3])),
        ("colour=is.null", json!([3])),
    ] {
        let answer = shop.get(&format!("/paints?select=id&order=id&{filter}")).await;
        let ids: Vec<_> = answer
            .body
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row["id"].clone())
            .collect();
        assert_eq!(json!(ids), expected, "{filter}");
    }
    let pattern = shop.get("/paints?colour=ilike.*ff").await;
    assert_eq!((pattern.status, pattern.code()), (404, "42883"));
}

#[tokio::test]
async fn bodies_are_read_as_the_domain_says() {
    let shop = Shop::open().await;
    let shown = [("prefer", "return=representation")];
    for (method, target, body, status) in [
        (
            "POST",
            "/paints?select=id,colour",
            r##"{"id":9,"colour":"#00ff00"}"##,
            201,
        ),
        (
            "PATCH",
            "/paints?id=eq.1&select=id,colour",
            r##"{"id":9,"colour":"#00ff00"}"##,
            200,
        ),
        (
            "PUT",
            "/paints?id=eq.9&select=id,colour",
            r##"{"id":9,"colour":"#00ff00"}"##,
            201,
        ),
    ] {
        let answer = shop.send(method, target, &shown, body).await;
        assert_eq!(
            (answer.status, answer.body),
            (status, json!([{"id": 9, "colour": "#00ff00"}])),
            "{method}"
        );
    }
}
