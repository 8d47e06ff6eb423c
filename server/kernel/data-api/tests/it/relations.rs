//! Relationships that no foreign key says outright: through views, junctions' views and functions, and their hints.

use serde_json::json;

use crate::shop::Shop;

#[tokio::test]
async fn views_embed_and_are_embedded_by_the_keys_of_their_tables() {
    let shop = Shop::open().await;
    for (target, body) in [
        (
            "/late_orders?select=number,entries(amount)&entries.order=amount",
            json!([{"number": "PO-1", "entries": [{"amount": 60.00}, {"amount": 140.00}]}]),
        ),
        (
            "/late_orders?select=number,labels(name)",
            json!([{"number": "PO-1", "labels": [{"name": "urgent"}]}]),
        ),
        (
            "/carriers?select=name,trips(day)&order=id&trips.order=day",
            json!([{"name": "Swift", "trips": [{"day": 1}, {"day": 2}]}, {"name": "Slow", "trips": [{"day": 1}]}]),
        ),
        (
            "/trips?select=day,carriers(name)&carrier=eq.2",
            json!([{"day": 1, "carriers": {"name": "Slow"}}]),
        ),
    ] {
        let answer = shop.get(target).await;
        assert_eq!((answer.status, answer.body), (200, body), "{target}");
    }
}

#[tokio::test]
async fn a_view_that_unites_queries_has_no_relationships() {
    let shop = Shop::open().await;
    let answer = shop.get("/either?select=trips(day)").await;
    assert_eq!((answer.status, answer.code()), (400, "PGRST200"));
}

#[tokio::test]
async fn a_materialised_view_stands_for_its_table() {
    let shop = Shop::open().await;
    let answer = shop.get("/buyers?select=name,orders(number)&name=eq.Acme").await;
    assert_eq!(
        answer.body,
        json!([{"name": "Acme", "orders": [{"number": "PO-1"}]}])
    );
}

#[tokio::test]
async fn a_view_is_written_by_the_key_of_its_table() {
    let shop = Shop::open().await;
    let headers = [("Prefer", "return=headers-only")];
    let made = shop
        .send("POST", "/carriers", &headers, r#"{"id": 3, "name": "New"}"#)
        .await;
    assert_eq!(
        (made.status, made.header("location")),
        (201, Some("/carriers?id=eq.3"))
    );
    let headers = [("Prefer", "return=representation, resolution=merge-duplicates")];
    let merged = shop
        .send("POST", "/carriers", &headers, r#"{"id": 1, "name": "Swifter"}"#)
        .await;
    assert_eq!(merged.body, json!([{"id": 1, "name": "Swifter"}]));
}

#[tokio::test]
async fn functions_of_a_row_are_embeds() {
    let shop = Shop::open().await;
    let answer = shop
        .get("/orders?select=number,first_entry(amount),main_supplier(name)&number=eq.PO-1")
        .await;
    assert_eq!(
        answer.body,
        json!([{"number": "PO-1", "first_entry": {"amount": 60.00}, "main_supplier": {"name": "Acme"}}])
    );
    let inner = shop
        .get("/rpc/orders_above?lowest=0&select=number,first_entry!inner(amount)&first_entry.amount=lt.100")
        .await;
    assert_eq!(
        inner.body,
        json!([{"number": "PO-1", "first_entry": {"amount": 60.00}}])
    );
}

#[tokio::test]
async fn several_ways_are_listed_and_each_can_be_named() {
    let shop = Shop::open().await;
    let answer = shop.get("/entries?select=amount,late_numbers(number)").await;
    assert_eq!((answer.status, answer.code()), (300, "PGRST201"));
    let way = |column: &str| {
        json!({
            "cardinality": "many-to-one",
            "embedding": "entries with late_numbers",
            "relationship": format!(
                "entries_org_id_order_id_fkey using entries(org_id, order_id) and late_numbers(org_id, {column})"
            ),
        })
    };
    assert_eq!(answer.body["details"], json!([way("also_id"), way("late_id")]));
    let hinted = shop
        .get("/entries?select=amount,late_numbers!late_id(number)&order=amount&limit=1")
        .await;
    assert_eq!(
        hinted.body,
        json!([{"amount": 60.00, "late_numbers": {"number": "PO-1"}}])
    );
}
