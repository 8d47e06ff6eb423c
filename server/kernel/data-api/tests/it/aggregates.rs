//! Aggregate functions in `select`, and what the rows are grouped by.

use serde_json::{Value, json};

use crate::shop::Shop;

async fn open() -> Shop {
    let mut shop = Shop::open().await;
    shop.settings.aggregates = true;
    shop
}

async fn body(shop: &Shop, target: &str) -> Value {
    let answer = shop.get(target).await;
    assert_eq!(answer.status, 200, "{target}: {}", answer.body);
    answer.body
}

#[tokio::test]
async fn all_rows_are_one_group_without_other_columns() {
    let shop = open().await;
    for (select, expected) in [
        ("count()", json!([{"count": 3}])),
        ("n:count()::text", json!([{"n": "3"}])),
        ("value.sum()", json!([{"sum": 1349.50}])),
        ("value.min(),value.max()", json!([{"min": 100.00, "max": 999.00}])),
        ("mean:value.avg()::int", json!([{"mean": 450}])),
        ("supplier_id.count()", json!([{"count": 2}])),
        ("value::int.sum()::text", json!([{"sum": "1350"}])),
        ("n:data->a->b->>1::int.sum()", json!([{"n": 2}])),
    ] {
        assert_eq!(
            body(&shop, &format!("/orders?select={select}")).await,
            expected,
            "{select}"
        );
    }
}

#[tokio::test]
async fn the_other_columns_are_what_rows_are_grouped_by() {
    let shop = open().await;
    assert_eq!(
        body(&shop, "/entries?select=order_id,amount.sum(),n:count()").await,
        json!([{"order_id": "20000000-0000-0000-0000-000000000001", "sum": 200.00, "n": 2}])
    );
    assert_eq!(
        body(
            &shop,
            "/orders?select=letter:data->>c,count()&order=data->>c.desc.nullslast&limit=2"
        )
        .await,
        json!([{"letter": "y", "count": 1}, {"letter": "x", "count": 1}])
    );
    assert_eq!(
        body(&shop, "/notes?select=*,count()&order=id&limit=1").await,
        json!([{"id": 1, "body": "one", "odd \"name\"": null, "count": 1}])
    );
}

#[tokio::test]
async fn one_embed_groups_another_counts() {
    let shop = open().await;
    let grouped = body(
        &shop,
        "/orders?select=supplier:suppliers(name),value.sum()&order=supplier(name)",
    )
    .await;
    assert_eq!(grouped.as_array().map(Vec::len), Some(3), "{grouped}");
    assert_eq!(
        body(
            &shop,
            "/suppliers?select=name,orders(value.sum(),count())&order=name"
        )
        .await,
        json!([
            {"name": "Acme", "orders": [{"sum": 100.00, "count": 1}]},
            {"name": "Bolt", "orders": [{"sum": 250.50, "count": 1}]},
        ])
    );
    assert_eq!(
        body(&shop, "/orders?select=number,entries(checker_id,amount.sum())&order=number&entries.order=checker_id.nullsfirst&limit=1")
            .await,
        json!([{"number": "PO-1", "entries": [
            {"checker_id": null, "sum": 140.00},
            {"checker_id": "30000000-0000-0000-0000-000000000001", "sum": 60.00}]}])
    );
}

#[tokio::test]
async fn a_spread_of_one_row_brings_its_aggregates_along() {
    let shop = open().await;
    assert_eq!(
        body(
            &shop,
            "/entries?select=amount.sum(),...orders(number,highest:value.max())"
        )
        .await,
        json!([{"sum": 200.00, "number": "PO-1", "highest": 100.00}])
    );
    assert_eq!(
        body(
            &shop,
            "/orders?select=...suppliers(city,n:count())&order=suppliers(city).nullsfirst"
        )
        .await,
        json!([{"city": null, "n": 1}, {"city": "Bonn", "n": 1}])
    );
    assert_eq!(
        body(&shop, "/entries?select=...orders(...suppliers(name,count()))").await,
        json!([{"name": "Acme", "count": 2}])
    );
    assert_eq!(
        body(&shop, "/entries?select=...orders(suppliers(name),value.sum())").await,
        json!([{"suppliers": {"name": "Acme"}, "sum": 200.00}])
    );
}

#[tokio::test]
async fn a_total_counts_the_groups() {
    let shop = open().await;
    let answer = shop
        .send(
            "GET",
            "/entries?select=order_id,count()&limit=5",
            &[("prefer", "count=exact")],
            "",
        )
        .await;
    assert_eq!(
        (answer.status, answer.header("content-range")),
        (200, Some("0-0/1"))
    );
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let shop = open().await;
    let many = shop.get("/orders?select=...entries(amount.sum())").await;
    assert_eq!((many.status, many.code()), (400, "PGRST127"));
    assert_eq!(
        many.body["details"],
        "Aggregates are not implemented for one-to-many or many-to-many spreads."
    );
    let mut shop = shop;
    shop.settings.aggregates = false;
    for select in [
        "value.sum()",
        "suppliers(count())",
        "...suppliers(count())",
        "...entries(count())",
    ] {
        let refused = shop.get(&format!("/orders?select={select}")).await;
        assert_eq!((refused.status, refused.code()), (400, "PGRST123"), "{select}");
    }
}
