//! `having` and `order` by aggregate.

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
async fn groups_are_chosen_by_what_they_add_up_to() {
    let shop = open().await;
    for (query, expected) in [
        (
            "select=level,value.sum()&having=(value.sum().gt.200)&order=level",
            json!([
            {"level": "warning", "sum": 250.50}, {"level": "critical", "sum": 999.00}]),
        ),
        (
            "select=level,total:value.sum()&having=(total.gt.200,total.lt.500)",
            json!([
            {"level": "warning", "total": 250.50}]),
        ),
        (
            "select=level,sum:value.sum()&having=(not.or(sum.lt.101,count().gt.1),number.max().like.*2)",
            json!([
            {"level": "warning", "sum": 250.50}]),
        ),
        (
            "select=level&having=(data->>c.max().in.(x,y),value::int.sum()::text.neq.100)",
            json!([{"level": "critical"}]),
        ),
        ("select=count()&having=(count().gte.3)", json!([{"count": 3}])),
        ("select=count()&having=(count().gt.3)", json!([])),
        (
            "select=level&having=(due.min().not.is.null)&order=due.min().desc",
            json!([{"level": "warning"}, {"level": "on_track"}]),
        ),
        (
            "select=level,supplier_id.count()&having=(count.eq.0)",
            json!([{"level": "critical", "count": 0}]),
        ),
        (
            "select=count(),...suppliers(city)&having=(value.sum().gte.1000)",
            json!([{"count": 2, "city": null}]),
        ),
        (
            "select=...suppliers(name,most:name.max())&having=(most.eq.Acme)",
            json!([{"name": "Acme", "most": "Acme"}]),
        ),
    ] {
        assert_eq!(
            body(&shop, &format!("/orders?{query}")).await,
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn groups_are_sorted_by_aggregates_shown_or_not() {
    let shop = open().await;
    for (query, expected) in [
        (
            "select=level,value.sum()&order=value.sum().desc",
            json!([
            {"level": "critical", "sum": 999.00}, {"level": "warning", "sum": 250.50}, {"level": "on_track", "sum": 100.00}]),
        ),
        (
            "select=level&order=value.sum().desc&limit=1",
            json!([{"level": "critical"}]),
        ),
        (
            "select=level&order=value.sum()&limit=1&offset=1",
            json!([{"level": "warning"}]),
        ),
        (
            "select=level,total:value.sum()&order=total.desc&limit=1",
            json!([{"level": "critical", "total": 999.00}]),
        ),
        (
            "select=level,value.sum()&order=sum.asc&limit=1",
            json!([{"level": "on_track", "sum": 100.00}]),
        ),
        (
            "select=place:level,count()&order=count.desc,place.desc",
            json!([
            {"place": "critical", "count": 1}, {"place": "warning", "count": 1}, {"place": "on_track", "count": 1}]),
        ),
        (
            "select=level,n:data->>c.max()&order=n.desc.nullslast&limit=1",
            json!([{"level": "critical", "n": "y"}]),
        ),
        (
            "select=...suppliers(name,n:count())&order=n.desc,suppliers(name).desc.nullslast&limit=1",
            json!([{"name": "Bolt", "n": 1}]),
        ),
    ] {
        assert_eq!(
            body(&shop, &format!("/orders?{query}")).await,
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn embeds_have_groups_of_their_own() {
    let shop = open().await;
    for (query, expected) in [
        (
            "select=number,entries(checker_id,amount.sum())&entries.having=(amount.sum().gt.100)&order=number&limit=2",
            json!([
            {"number": "PO-1", "entries": [{"checker_id": null, "sum": 140.00}]}, {"number": "PO-2", "entries": []}]),
        ),
        (
            "select=number,entries(amount.sum(),checker_id)&entries.order=amount.sum().desc&order=number&limit=1",
            json!([
            {"number": "PO-1", "entries": [{"sum": 140.00, "checker_id": null},
                {"sum": 60.00, "checker_id": "30000000-0000-0000-0000-000000000001"}]}]),
        ),
        (
            "select=number,lines:entries(total:amount.sum())&lines.order=total&lines.having=(total.gt.0)&order=number&limit=1",
            json!([{"number": "PO-1", "lines": [{"total": 200.00}]}]),
        ),
        // An inner embed leaves out rows that have no such group.
        (
            "select=number,entries!inner(amount.sum())&entries.having=(amount.sum().gt.100)",
            json!([
            {"number": "PO-1", "entries": [{"sum": 200.00}]}]),
        ),
        (
            "select=number,entries!inner(amount.sum())&entries.having=(amount.sum().gt.200)",
            json!([]),
        ),
        (
            "select=number,entries!inner()&entries.having=(count().eq.0)&order=number",
            json!([
            {"number": "PO-2"}, {"number": "PO-3"}]),
        ),
        (
            "select=number,entries()&entries.having=(count().gte.2)&entries=not.is.null",
            json!([{"number": "PO-1"}]),
        ),
    ] {
        assert_eq!(
            body(&shop, &format!("/orders?{query}")).await,
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn totals_pages_and_functions_count_the_groups_that_are_left() {
    let shop = open().await;
    let target = "/orders?select=level,value.sum()&having=(value.sum().gt.200)&order=value.sum()&limit=1";
    let answer = shop.send("GET", target, &[("prefer", "count=exact")], "").await;
    assert_eq!(
        (answer.status, answer.header("content-range")),
        (206, Some("0-0/2"))
    );
    let last = shop
        .send(
            "GET",
            &format!("{target}&offset=1"),
            &[("prefer", "count=exact")],
            "",
        )
        .await;
    assert_eq!(last.header("content-range"), Some("1-1/2"));
    let one = shop
        .send(
            "GET",
            target,
            &[("accept", "application/vnd.pgrst.object+json")],
            "",
        )
        .await;
    assert_eq!(one.body, json!({"level": "warning", "sum": 250.50}));
}

#[tokio::test]
async fn a_column_called_having_is_a_column() {
    let shop = open().await;
    // Its values do not begin with a parenthesis, and PostgreSQL is asked for it.
    let answer = shop.get("/orders?having=eq.1").await;
    assert_eq!((answer.status, answer.code()), (400, "42703"));
    let answer = shop.get("/orders?having=gt").await;
    assert_eq!((answer.status, answer.code()), (400, "PGRST100"));
}

#[tokio::test]
async fn hostile_names_and_values_stay_what_they_are() {
    let shop = open().await;
    let hostile = "%22x%5C%22%29%3B%20drop%20table%20shop.notes%3B--%22";
    for query in [
        format!("/notes?select=count()&having=({hostile}.max().eq.1)"),
        format!("/notes?select=count()&order={hostile}.sum()"),
        format!("/notes?select=count()&having=(count().eq.{hostile})"),
    ] {
        let answer = shop.get(&query).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.body);
    }
    assert_eq!(
        body(&shop, "/notes?select=n:%22odd%20%5C%22name%5C%22%22.count(),count()&having=(n.eq.0,%22odd%20%5C%22name%5C%22%22.max().is.null)").await,
        json!([{"n": 0, "count": 2}])
    );
    let alias = "%22x%5C%22%29%3B--%22";
    assert_eq!(
        body(
            &shop,
            &format!("/notes?select={alias}:count()&having=({alias}.eq.2)&order={alias}")
        )
        .await,
        json!([{"x\");--": 2}])
    );
}

#[tokio::test]
async fn other_organisations_are_in_no_group() {
    let mut shop = open().await;
    let target = "/entries?select=order_id,amount.sum()&having=(amount.sum().lt.100)";
    assert_eq!(body(&shop, target).await, json!([]));
    shop.tenant = Some(uuid::Uuid::from_u128(0x0b));
    assert_eq!(body(&shop, target).await[0]["sum"], json!(7.00));
}

#[tokio::test]
async fn what_makes_no_sense_is_said() {
    let mut shop = open().await;
    for (method, target, status, code) in [
        (
            "GET",
            "/orders?select=level,count()&having=(level.eq.x)",
            400,
            "rest.no_aggregate",
        ),
        (
            "GET",
            "/orders?select=level,count()&having=(other.gt.1)",
            400,
            "rest.no_aggregate",
        ),
        (
            "GET",
            "/orders?select=count(),entries(id)&having=(entries.is.null)",
            400,
            "rest.no_aggregate",
        ),
        (
            "GET",
            "/orders?select=level&having=(value.median().gt.1)",
            400,
            "PGRST100",
        ),
        ("GET", "/orders?select=level&having=(count().gt.x)", 400, "22P02"),
        (
            "GET",
            "/orders?select=level&entries.having=(count().gt.1)",
            400,
            "PGRST108",
        ),
        (
            "GET",
            "/orders?select=...suppliers(name)&suppliers.having=(count().gt.1)",
            400,
            "PGRST127",
        ),
        (
            "GET",
            "/orders?select=...entries(id)&entries.order=amount.sum()",
            400,
            "PGRST127",
        ),
        ("PATCH", "/orders?having=(count().gt.1)", 400, "PGRST127"),
        ("DELETE", "/orders?having=(count().gt.1)", 400, "PGRST127"),
    ] {
        let answer = shop.send(method, target, &[], "{\"number\":\"x\"}").await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{target}: {}",
            answer.body
        );
    }
    shop.settings.aggregates = false;
    for query in ["having=(count().gt.1)", "order=value.sum()"] {
        let answer = shop.get(&format!("/orders?select=level&{query}")).await;
        assert_eq!((answer.status, answer.code()), (400, "PGRST123"), "{query}");
    }
}
