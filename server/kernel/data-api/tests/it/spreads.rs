//! Spreads: the columns of an embed in the row above it, of many rows as arrays in one order.

use serde_json::{Value, json};

use crate::shop::Shop;

async fn body(shop: &Shop, target: &str) -> Value {
    let answer = shop.get(target).await;
    assert_eq!(answer.status, 200, "{target}: {}", answer.body);
    answer.body
}

#[tokio::test]
async fn many_rows_become_one_array_a_column_all_in_the_same_order() {
    let shop = Shop::open().await;
    assert_eq!(
        body(
            &shop,
            "/orders?select=number,...entries(amounts:amount,checker_id)&entries.order=amount.desc&order=number&limit=2"
        )
        .await,
        json!([
            {"number": "PO-1", "amounts": [140.00, 60.00], "checker_id": [null, "30000000-0000-0000-0000-000000000001"]},
            {"number": "PO-2", "amounts": [], "checker_id": []},
        ])
    );
}

#[tokio::test]
async fn filters_limits_and_inner_joins_are_the_spreads_own() {
    let shop = Shop::open().await;
    for (query, expected) in [
        (
            "entries.amount=gt.100",
            json!([{"amount": [140.00]}, {"amount": []}, {"amount": []}]),
        ),
        (
            "entries.order=amount&entries.limit=1",
            json!([{"amount": [60.00]}, {"amount": []}, {"amount": []}]),
        ),
        (
            "entries=not.is.null&entries.order=amount",
            json!([{"amount": [60.00, 140.00]}]),
        ),
        ("entries=is.null", json!([{"amount": []}, {"amount": []}])),
    ] {
        let target = format!("/orders?select=...entries(amount)&order=number&{query}");
        assert_eq!(body(&shop, &target).await, expected, "{query}");
    }
    assert_eq!(
        body(
            &shop,
            "/orders?select=number,...entries!inner(amount)&entries.order=amount"
        )
        .await,
        json!([{"number": "PO-1", "amount": [60.00, 140.00]}])
    );
}

#[tokio::test]
async fn spreads_nest_and_hold_embeds() {
    let shop = Shop::open().await;
    assert_eq!(
        body(
            &shop,
            "/suppliers?select=name,...orders(number,...entries(amount),contracts(title),labels(name))&orders.entries.order=amount&order=name"
        )
        .await,
        json!([
            {"name": "Acme", "number": ["PO-1"], "amount": [[60.00, 140.00]], "contracts": [{"title": "Frame"}],
             "labels": [[{"name": "urgent"}]]},
            {"name": "Bolt", "number": ["PO-2"], "amount": [[]], "contracts": [null], "labels": [[]]},
        ])
    );
    assert_eq!(
        body(
            &shop,
            "/orders?select=number,...labels(labels:name)&order=number&limit=2"
        )
        .await,
        json!([{"number": "PO-1", "labels": ["urgent"]}, {"number": "PO-2", "labels": []}])
    );
    assert_eq!(
        body(
            &shop,
            "/entries?select=amount,...orders(number,...suppliers(supplier:name))&order=amount&limit=1"
        )
        .await,
        json!([{"amount": 60.00, "number": "PO-1", "supplier": "Acme"}])
    );
}

#[tokio::test]
async fn all_columns_can_be_spread_and_none() {
    let shop = Shop::open().await;
    let all = body(&shop, "/orders?select=...labels(*)&number=eq.PO-1").await;
    assert_eq!(
        all,
        json!([{"org_id": ["00000000-0000-0000-0000-00000000000a"], "id": ["60000000-0000-0000-0000-000000000001"],
                "name": ["urgent"]}])
    );
    assert_eq!(
        body(
            &shop,
            "/orders?select=number,...entries(),...suppliers(),labels(order_labels())&number=eq.PO-1"
        )
        .await,
        json!([{"number": "PO-1"}])
    );
}

#[tokio::test]
async fn a_spread_sorts_by_what_is_related_to_its_rows() {
    let shop = Shop::open().await;
    assert_eq!(
        body(
            &shop,
            "/orders?select=...entries(amount,...people!entries_checker_fkey(checker:name))&entries.order=people(checker).nullsfirst&number=eq.PO-1"
        )
        .await,
        json!([{"amount": [140.00, 60.00], "checker": [null, "Ann"]}])
    );
}
