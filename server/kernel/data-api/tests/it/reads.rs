//! GET and HEAD on tables and views.

use serde_json::{Value, json};

use crate::shop::Shop;

async fn numbers(shop: &Shop, query: &str) -> Vec<String> {
    let answer = shop
        .get(&format!("/orders?select=number&order=number&{query}"))
        .await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    let rows = answer.body.as_array().expect("an array");
    rows.iter()
        .map(|row| row["number"].as_str().expect("a text").to_owned())
        .collect()
}

#[tokio::test]
async fn every_filter_finds_its_rows() {
    let shop = Shop::open().await;
    for (query, expected) in [
        ("", "PO-1 PO-2 PO-3"),
        ("number=eq.PO-1", "PO-1"),
        ("number=neq.PO-1", "PO-2 PO-3"),
        ("number=not.eq.PO-1", "PO-2 PO-3"),
        ("value=gt.250.5", "PO-3"),
        ("value=gte.250.5", "PO-2 PO-3"),
        ("value=lt.250.5&value=gte.100", "PO-1"),
        ("value=lte.100", "PO-1"),
        ("number=like.*-2", "PO-2"),
        ("number=ilike.po-*", "PO-1 PO-2 PO-3"),
        ("number=like(any).{*1,*3}", "PO-1 PO-3"),
        ("number=like(all).{PO*,*3}", "PO-3"),
        ("value=eq(any).{100,999}", "PO-1 PO-3"),
        ("number=match.^PO-[12]$", "PO-1 PO-2"),
        ("number=imatch.^po-3", "PO-3"),
        ("number=in.(PO-1,\"PO-3\",x)", "PO-1 PO-3"),
        ("number=not.in.(PO-1)", "PO-2 PO-3"),
        ("number=in.()", ""),
        ("level=in.(warning,critical)", "PO-2 PO-3"),
        ("level=eq.warning", "PO-2"),
        ("supplier_id=is.null", "PO-3"),
        ("supplier_id=is.not_null", "PO-1 PO-2"),
        ("supplier_id=not.is.null", "PO-1 PO-2"),
        ("due=isdistinct.2024-05-01", "PO-2 PO-3"),
        ("search=fts.1", ""),
        ("search=plfts(english).PO-1", "PO-1"),
        ("number=wfts(english).po-2", "PO-2"),
        ("tags=cs.{red}", "PO-1"),
        ("tags=cd.{red,blue,green}", "PO-1 PO-2"),
        ("tags=ov.{blue,x}", "PO-1"),
        ("data=cs.{\"c\":\"y\"}", "PO-3"),
        ("data->>c=eq.x", "PO-1"),
        ("data->a->b->1=eq.2", "PO-1"),
        ("data->a->b->>-1=eq.2", "PO-1"),
        ("tags->0=eq.\"red\"", "PO-1"),
        (
            "or=(number.eq.PO-1,and(value.gt.900,level.eq.critical))",
            "PO-1 PO-3",
        ),
        ("and=(value.gt.1,not.or(number.eq.PO-1,number.eq.PO-2))", "PO-3"),
        ("not.or=(number.eq.PO-1,number.eq.PO-2)", "PO-3"),
        ("limit=1&offset=1", "PO-2"),
        ("title=eq.Order%20PO-1", "PO-1"),
    ] {
        assert_eq!(numbers(&shop, query).await.join(" "), expected, "{query}");
    }
}

#[tokio::test]
async fn select_casts_renames_and_reaches_into_json() {
    let shop = Shop::open().await;
    let answer = shop
        .get("/orders?select=no:number,value::text,data->a->b,first:data->a->b->>0,data->>c,title,level&number=eq.PO-1")
        .await;
    assert_eq!(
        answer.body,
        json!([{"no": "PO-1", "value": "100.00", "b": [1, 2], "first": "1", "c": "x", "title": "Order PO-1", "level": "on_track"}])
    );
    let all = shop.get("/orders?select=&limit=1").await;
    assert!(all.body[0].get("supplier_id").is_some(), "{}", all.body);
}

#[tokio::test]
async fn embeds_follow_composite_keys_and_never_leave_the_organisation() {
    let shop = Shop::open().await;
    let one = shop
        .get("/orders?select=number,supplier:suppliers(name,city),entries(amount),contracts(title),labels(name)&order=number&entries.order=amount.desc")
        .await;
    assert_eq!(
        one.body,
        json!([
            {"number": "PO-1", "supplier": {"name": "Acme", "city": "Bonn"}, "entries": [{"amount": 140.00}, {"amount": 60.00}],
             "contracts": {"title": "Frame"}, "labels": [{"name": "urgent"}]},
            {"number": "PO-2", "supplier": {"name": "Bolt", "city": null}, "entries": [], "contracts": null, "labels": []},
            {"number": "PO-3", "supplier": null, "entries": [], "contracts": null, "labels": []},
        ])
    );
}

#[tokio::test]
async fn embeds_nest_and_take_their_own_filters_order_and_limit() {
    let shop = Shop::open().await;
    let answer = shop
        .get("/suppliers?select=name,orders(number,entries(amount,checker:people!entries_checker_fkey(name)))&order=name&orders.entries.amount=gt.50&orders.entries.order=amount&orders.entries.limit=1")
        .await;
    assert_eq!(
        answer.body,
        json!([
            {"name": "Acme", "orders": [{"number": "PO-1", "entries": [{"amount": 60.00, "checker": {"name": "Ann"}}]}]},
            {"name": "Bolt", "orders": [{"number": "PO-2", "entries": []}]},
        ])
    );
    let by_column = shop
        .get("/entries?select=amount,checker_id(name)&order=amount")
        .await;
    assert_eq!(
        by_column.body[0],
        json!({"amount": 60.00, "checker_id": {"name": "Ann"}}),
        "{}",
        by_column.body
    );
}

#[tokio::test]
async fn inner_embeds_and_null_tests_choose_the_parents() {
    let shop = Shop::open().await;
    for (query, expected) in [
        (
            "select=number,suppliers!inner(name)&suppliers.name=eq.Bolt",
            "PO-2",
        ),
        (
            "select=number,entries!inner(amount)&entries.amount=gt.100",
            "PO-1",
        ),
        ("select=number,labels!inner()", "PO-1"),
        ("select=number,suppliers()&suppliers=is.null", "PO-3"),
        ("select=number,entries()&entries=not.is.null", "PO-1"),
        (
            "select=number,entries(),suppliers()&or=(entries.not.is.null,suppliers.is.null)",
            "PO-1 PO-3",
        ),
        (
            "select=number,suppliers!inner(city)&suppliers.city=is.null",
            "PO-2",
        ),
    ] {
        for count in ["", "count=exact"] {
            let answer = shop
                .send(
                    "GET",
                    &format!("/orders?order=number&{query}&limit=2"),
                    &[("prefer", count)],
                    "",
                )
                .await;
            let rows = answer
                .body
                .as_array()
                .unwrap_or_else(|| panic!("{query}: {}", answer.body))
                .clone();
            let found: Vec<&str> = rows.iter().filter_map(|row| row["number"].as_str()).collect();
            assert_eq!(found.join(" "), expected, "{query}");
            if !count.is_empty() {
                let range = answer.header("content-range").expect("told").to_owned();
                assert!(range.ends_with(&format!("/{}", rows.len())), "{query}: {range}");
            }
        }
    }
}

#[tokio::test]
async fn spreads_put_the_columns_into_the_parent() {
    let shop = Shop::open().await;
    let answer = shop
        .get("/orders?select=number,...suppliers(supplier:name,city)&number=in.(PO-1,PO-3)&order=number")
        .await;
    assert_eq!(
        answer.body,
        json!([{"number": "PO-1", "supplier": "Acme", "city": "Bonn"}, {"number": "PO-3", "supplier": null, "city": null}])
    );
}

#[tokio::test]
async fn rows_sort_by_columns_json_and_to_one_embeds() {
    let shop = Shop::open().await;
    for (query, expected) in [
        ("order=value.desc", "PO-3 PO-2 PO-1"),
        ("order=due.desc.nullslast", "PO-2 PO-1 PO-3"),
        ("order=due.nullsfirst", "PO-3 PO-1 PO-2"),
        ("order=data->>c.desc.nullslast", "PO-3 PO-1 PO-2"),
        ("order=suppliers(name).desc.nullslast", "PO-2 PO-1 PO-3"),
        (
            "order=suppliers(city).asc.nullsfirst,number.desc",
            "PO-3 PO-2 PO-1",
        ),
    ] {
        let answer = shop
            .get(&format!("/orders?select=number,suppliers(name)&{query}"))
            .await;
        let rows = answer
            .body
            .as_array()
            .unwrap_or_else(|| panic!("{query}: {}", answer.body))
            .clone();
        let found: Vec<&str> = rows.iter().filter_map(|row| row["number"].as_str()).collect();
        assert_eq!(found.join(" "), expected, "{query}");
    }
}

#[tokio::test]
async fn tables_that_refer_to_themselves_embed_children_by_name_and_parents_by_column() {
    let shop = Shop::open().await;
    let children = shop
        .get("/orders?select=number,orders(number)&number=eq.PO-1")
        .await;
    assert_eq!(
        children.body,
        json!([{"number": "PO-1", "orders": [{"number": "PO-2"}]}])
    );
    let parent = shop
        .get("/orders?select=number,replaces_id(number)&number=eq.PO-2")
        .await;
    assert_eq!(
        parent.body,
        json!([{"number": "PO-2", "replaces_id": {"number": "PO-1"}}])
    );
    let hinted = shop
        .get("/orders?select=number,later:orders!replaces_id(number)&number=eq.PO-1")
        .await;
    assert_eq!(
        hinted.body,
        json!([{"number": "PO-1", "later": [{"number": "PO-2"}]}])
    );
}

#[tokio::test]
async fn functions_of_the_row_are_columns_and_relationships() {
    let shop = Shop::open().await;
    let answer = shop
        .get("/orders?select=number,title,open_entries(amount)&number=eq.PO-1")
        .await;
    assert_eq!(
        answer.body,
        json!([{"number": "PO-1", "title": "Order PO-1", "open_entries": [{"amount": 140.00}]}])
    );
}

#[tokio::test]
async fn totals_are_counted_planned_or_estimated() {
    let shop = Shop::open().await;
    let range = async |query: &str, prefer: &str| {
        let answer = shop
            .send(
                "GET",
                &format!("/orders?select=number{query}"),
                &[("prefer", prefer)],
                "",
            )
            .await;
        (
            answer.status,
            answer.header("content-range").unwrap_or_default().to_owned(),
            answer.body,
        )
    };
    assert_eq!(range("", "").await.1, "0-2/*");
    let (status, text, _) = range("&limit=2", "count=exact").await;
    assert_eq!((status, text.as_str()), (206, "0-1/3"));
    let (status, text, _) = range("&limit=5", "count=exact").await;
    assert_eq!((status, text.as_str()), (200, "0-2/3"));
    let (status, text, _) = range("&limit=2&offset=2", "count=exact").await;
    assert_eq!((status, text.as_str()), (206, "2-2/3"));
    let (status, text, body) = range("&limit=2&offset=7", "count=exact").await;
    assert_eq!(
        (status, text.as_str(), body["code"].as_str()),
        (416, "*/3", Some("PGRST103"))
    );
    assert_eq!(range("&value=lt.0", "count=exact").await.1, "*/0");
    assert_eq!(range("&limit=2", "count=estimated").await.1, "0-1/3");
    let (_, planned, _) = range("", "count=planned").await;
    assert!(
        planned.starts_with("0-2/") && !planned.ends_with('*'),
        "{planned}"
    );
}

#[tokio::test]
async fn a_range_header_is_a_page_too() {
    let shop = Shop::open().await;
    let answer = shop
        .send(
            "GET",
            "/orders?select=number&order=number",
            &[("range", "1-1"), ("prefer", "count=exact")],
            "",
        )
        .await;
    assert_eq!(
        (answer.status, answer.header("content-range")),
        (206, Some("1-1/3"))
    );
    assert_eq!(answer.body, json!([{"number": "PO-2"}]));
}

#[tokio::test]
async fn one_object_is_one_row_or_406() {
    let shop = Shop::open().await;
    let accept = [("accept", "application/vnd.pgrst.object+json")];
    let one = shop
        .send("GET", "/orders?select=number&number=eq.PO-1", &accept, "")
        .await;
    assert_eq!((one.status, one.body), (200, json!({"number": "PO-1"})));
    for query in ["number=eq.none", "value=gt.1"] {
        let refused = shop.send("GET", &format!("/orders?{query}"), &accept, "").await;
        assert_eq!((refused.status, refused.code()), (406, "PGRST116"));
    }
    let stripped = [("accept", "application/vnd.pgrst.array+json;nulls=stripped")];
    let answer = shop
        .send("GET", "/orders?select=number,due&number=eq.PO-3", &stripped, "")
        .await;
    assert_eq!(answer.body, json!([{"number": "PO-3"}]));
}

#[tokio::test]
async fn head_answers_without_body() {
    let shop = Shop::open().await;
    let answer = shop
        .send("HEAD", "/orders", &[("prefer", "count=exact")], "")
        .await;
    assert_eq!(
        (answer.status, answer.header("content-range"), answer.body.clone()),
        (200, Some("0-2/3"), Value::Null)
    );
}

#[tokio::test]
async fn views_over_tenant_tables_are_walled_too() {
    let shop = Shop::open().await;
    let sql =
        tenon_data_api::sql::Statement::new(&shop.compile("GET", "/late_orders", &[], "").expect("plans").1);
    assert!(sql.expect("a read").sql.contains("\"org_id\" = $1"));
    assert_eq!(
        shop.get("/late_orders?select=number").await.body,
        json!([{"number": "PO-1"}])
    );
}

#[tokio::test]
async fn odd_names_are_quoted() {
    let shop = Shop::open().await;
    let answer = shop
        .get("/notes?select=%22odd%20%5C%22name%5C%22%22&order=id&limit=1")
        .await;
    assert_eq!(answer.body, json!([{"odd \"name\"": null}]));
}

#[tokio::test]
async fn options_tell_what_a_relation_allows() {
    let shop = Shop::open().await;
    let answer = shop.send("OPTIONS", "/orders", &[], "").await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (200, Some("OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"))
    );
}

#[tokio::test]
async fn a_read_says_where_it_can_be_read_again() {
    let shop = Shop::open().await;
    let answer = shop
        .get("/orders?select=number&number=eq.PO-1&level=in.(warning)")
        .await;
    assert_eq!(
        answer.header("content-location"),
        Some("/orders?level=in.%28warning%29&number=eq.PO-1&select=number")
    );
    assert_eq!(
        shop.get("/notes").await.header("content-location"),
        Some("/notes")
    );
}

#[tokio::test]
async fn a_name_that_an_alias_hides_is_understood_with_a_warning_or_refused() {
    let mut shop = Shop::open().await;
    let target = "/orders?select=number,s:suppliers(name)&suppliers.name=eq.Acme&order=number&limit=1";
    let answer = shop.get(target).await;
    assert_eq!(answer.body, json!([{"number": "PO-1", "s": {"name": "Acme"}}]));
    let warning = answer.header("warning").expect("warned");
    assert!(warning.contains("Update `suppliers` to `s`"), "{warning}");
    shop.settings.legacy_target_names = false;
    let refused = shop.get(target).await;
    assert_eq!((refused.status, refused.code()), (400, "PGRST108"));
    assert_eq!(
        refused.body["hint"],
        "Change 'suppliers' to 's' in filters, orders or limits."
    );
}

#[tokio::test]
async fn a_column_called_like_an_embed_can_be_filtered() {
    let shop = Shop::open().await;
    let answer = shop
        .get("/entries?select=amount,checker_id(name)&checker_id=eq.30000000-0000-0000-0000-000000000001")
        .await;
    assert_eq!(
        answer.body,
        json!([{"amount": 60.00, "checker_id": {"name": "Ann"}}])
    );
}

#[tokio::test]
async fn an_offset_takes_the_one_row_of_an_embed_away() {
    let shop = Shop::open().await;
    for (range, expected) in [
        ("limit=1", json!({"name": "Acme"})),
        ("limit=0", Value::Null),
        ("offset=1", Value::Null),
    ] {
        let answer = shop
            .get(&format!(
                "/orders?select=suppliers(name)&number=eq.PO-1&suppliers.{range}"
            ))
            .await;
        assert_eq!(answer.body, json!([{"suppliers": expected}]), "{range}");
    }
}
