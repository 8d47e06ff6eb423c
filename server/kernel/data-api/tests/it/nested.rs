//! POST of rows with rows inside them. Each request is rolled back.

use serde_json::{Value, json};

use crate::shop::{Answer, ORG_A, Shop};

const CLERK: &str = "begin; set local role shop_clerk";
const SHOW: (&str, &str) = ("prefer", "return=representation");

async fn post(shop: &Shop, target: &str, body: &Value) -> Answer {
    shop.send("POST", target, &[SHOW], &body.to_string()).await
}

#[tokio::test]
async fn an_order_comes_with_its_entries() {
    let shop = Shop::open().await;
    let answer = post(
        &shop,
        "/orders?columns=number,value,entries(amount)&select=org_id,number,value,entries(org_id,amount)&entries.order=amount",
        &json!({"number": "N1", "value": 12.5, "entries": [{"amount": 7}, {"amount": 5.5}]}),
    )
    .await;
    let org = ORG_A.to_string();
    assert_eq!(
        (answer.status, answer.body),
        (
            201,
            json!([{"org_id": org, "number": "N1", "value": 12.5,
                    "entries": [{"org_id": org, "amount": 5.5}, {"org_id": org, "amount": 7.0}]}])
        )
    );
}

#[tokio::test]
async fn every_row_gets_its_own_rows_whatever_makes_its_key() {
    let shop = Shop::open().await;
    let bins: Vec<Value> = (0..20)
        .map(|n| {
            json!({"room": "Hall", "slots": (0..n % 3).map(|slot| {
                json!({"item": format!("{n}/{slot}"), "slot_remarks": [{"remark": format!("{n}/{slot}")}]})
            }).collect::<Vec<_>>()})
        })
        .collect();
    let answer = post(
        &shop,
        "/bins?columns=room,slots(item,slot_remarks(remark))&select=code,room,filled,slots(item,slot_remarks(remark))&slots.order=item",
        &json!(bins),
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let shown = answer.body.as_array().expect("rows");
    assert_eq!(shown.len(), 20);
    for (n, bin) in shown.iter().enumerate() {
        assert_eq!(
            (&bin["room"], &bin["filled"]),
            (&json!("hall"), &json!(n % 3)),
            "{bin}"
        );
        let slots: Vec<Value> = (0..n % 3)
            .map(|slot| json!({"item": format!("{n}/{slot}"), "slot_remarks": [{"remark": format!("{n}/{slot}")}]}))
            .collect();
        assert_eq!(bin["slots"], json!(slots), "{bin}");
    }
}

#[tokio::test]
async fn what_a_row_refers_to_is_made_with_it_or_named() {
    let shop = Shop::open().await;
    let known: Value = shop
        .get("/suppliers?select=id,name&order=name&limit=1")
        .await
        .body;
    let answer = post(
        &shop,
        "/orders?columns=number,supplier_id,of:suppliers(name),entries(amount,checker:people!checker_id(id,name))\
         &select=number,suppliers(name),entries(checker:people!checker_id(name))",
        &json!([
            {"number": "N1", "of": {"name": "New"}, "entries": [
                {"amount": 1, "checker": {"id": "00000000-0000-0000-0000-0000000000f1", "name": "Kim"}}, {"amount": 2}]},
            {"number": "N2", "supplier_id": known[0]["id"], "of": null},
            {"number": "N3"}
        ]),
    )
    .await;
    assert_eq!(
        (answer.status, answer.body),
        (
            201,
            json!([
                {"number": "N1", "suppliers": {"name": "New"}, "entries": [{"checker": {"name": "Kim"}}, {"checker": null}]},
                {"number": "N2", "suppliers": {"name": known[0]["name"]}, "entries": []},
                {"number": "N3", "suppliers": null, "entries": []}
            ])
        )
    );
}

#[tokio::test]
async fn rows_between_and_single_rows_are_made() {
    let shop = Shop::open().await;
    let id = |number: u8| format!("00000000-0000-0000-0000-0000000001{number:02x}");
    let answer = post(
        &shop,
        "/orders?columns=number,labels(id,name),contracts(*)&select=number,labels(name),contracts(org_id,title)&labels.order=name",
        &json!([
            {"number": "N1", "labels": [{"id": id(1), "name": "red"}, {"id": id(2), "name": "blue"}],
             "contracts": {"id": id(3), "title": "C"}},
            {"number": "N2", "labels": [{"id": id(4), "name": "green"}]}
        ]),
    )
    .await;
    assert_eq!(
        (answer.status, answer.body),
        (
            201,
            json!([
                {"number": "N1", "labels": [{"name": "blue"}, {"name": "red"}],
                 "contracts": {"org_id": ORG_A.to_string(), "title": "C"}},
                {"number": "N2", "labels": [{"name": "green"}], "contracts": null}
            ])
        )
    );
}

#[tokio::test]
async fn what_a_trigger_leaves_out_takes_along_what_depends_on_it() {
    let shop = Shop::open().await;
    let answer = post(
        &shop,
        "/bins?columns=room,slots(item)&select=room,slots(item)",
        &json!([{"room": "none", "slots": [{"item": "lost"}]}, {"room": "hall", "slots": [{"item": "kept"}]}]),
    )
    .await;
    assert_eq!(
        (answer.status, answer.body),
        (201, json!([{"room": "hall", "slots": [{"item": "kept"}]}]))
    );
    let reversed = post(
        &shop,
        "/slots?columns=item,bins(room)&select=item",
        &json!([{"item": "lost", "bins": {"room": "none"}}, {"item": "kept", "bins": {"room": "hall"}}]),
    )
    .await;
    assert_eq!((reversed.status, reversed.body), (201, json!([{"item": "kept"}])));
}

#[tokio::test]
async fn policies_of_inner_rows_see_the_outer_ones_and_refuse_all() {
    let mut shop = Shop::open().await;
    shop.prelude = Some(CLERK.to_owned());
    let target = "/bins?columns=room,slots(item)&select=filled,slots(item)";
    let made = post(
        &shop,
        target,
        &json!({"room": "hall", "slots": [{"item": "a"}, {"item": "b"}]}),
    )
    .await;
    assert_eq!(
        (made.status, made.body),
        (
            201,
            json!([{"filled": 2, "slots": [{"item": "a"}, {"item": "b"}]}])
        )
    );
    for (body, target, status, code) in [
        (
            json!({"room": "hall", "slots": [{"item": "a"}, {"item": "contraband"}]}),
            target,
            403,
            "42501",
        ),
        (
            json!([{"room": "hall"}, {"room": "vault", "slots": [{"item": "a"}]}]),
            target,
            403,
            "42501",
        ),
        (
            json!({"room": "hall", "slots": [{"item": "x"}]}),
            target,
            400,
            "23514",
        ),
        (
            json!({"room": "hall", "slots": [{"item": "a", "slot_remarks": [{"remark": "no right"}]}]}),
            "/bins?columns=room,slots(item,slot_remarks(remark))",
            403,
            "42501",
        ),
        (
            json!({"remark": "no right"}),
            "/slot_remarks?columns=remark,slots(item)",
            403,
            "42501",
        ),
    ] {
        let refused = post(&shop, target, &body).await;
        assert_eq!(
            (refused.status, refused.code()),
            (status, code),
            "{body}: {}",
            refused.body
        );
    }
}

#[tokio::test]
async fn only_what_is_wished_is_answered() {
    let shop = Shop::open().await;
    let target = "/bins?columns=room,slots(item)";
    let body = json!({"room": "hall", "slots": [{"item": "a"}]}).to_string();
    let none = shop
        .send("POST", target, &[("prefer", "count=exact")], &body)
        .await;
    assert_eq!(
        (none.status, none.raw.len(), none.header("content-range")),
        (201, 0, Some("*/1"))
    );
    let place = shop
        .send("POST", target, &[("prefer", "return=headers-only")], &body)
        .await;
    let location = place.header("location").unwrap_or_default();
    assert!(location.starts_with("/bins?code=eq.HALL-"), "{location}");
    let one = shop
        .send(
            "POST",
            "/bins?columns=room,slots(item)&select=room,slots(item)",
            &[SHOW, ("accept", "application/vnd.pgrst.object+json")],
            &body,
        )
        .await;
    assert_eq!(one.body, json!({"room": "hall", "slots": [{"item": "a"}]}));
    let two = shop
        .send(
            "POST",
            target,
            &[SHOW, ("accept", "application/vnd.pgrst.object+json")],
            &format!("[{body},{body}]"),
        )
        .await;
    assert_eq!((two.status, two.code()), (406, "PGRST116"));
    let csv = shop
        .send(
            "POST",
            "/bins?columns=room,slots(item)&select=room,filled",
            &[SHOW, ("accept", "text/csv")],
            &body,
        )
        .await;
    assert_eq!(csv.raw, "room,filled\nhall,1");
    let empty = post(&shop, target, &json!([])).await;
    assert_eq!((empty.status, empty.body), (201, json!([])));
    let mut planned = Shop::open().await;
    planned.settings.plan_enabled = true;
    let plan = planned
        .send(
            "POST",
            target,
            &[("accept", "application/vnd.pgrst.plan+json")],
            &body,
        )
        .await;
    assert_eq!((plan.status, plan.code()), (400, "PGRST127"));
}

#[tokio::test]
async fn rows_that_exist_are_merged_or_left_alone_with_what_is_in_them() {
    let shop = Shop::open().await;
    let known = shop
        .get("/orders?select=number,value,entries(amount)&order=number&limit=1")
        .await
        .body;
    let (number, entries) = (
        &known[0]["number"],
        known[0]["entries"].as_array().map_or(0, Vec::len),
    );
    let target = "/orders?columns=number,value,entries(amount)&on_conflict=number&select=number,value,entries(amount)&order=number";
    let send = |prefer: &'static str, body: Value| {
        let shop = &shop;
        async move {
            shop.send("POST", target, &[("prefer", prefer)], &body.to_string())
                .await
        }
    };
    let old = json!({"number": number, "value": 77, "entries": [{"amount": 3}]});
    let merged = send("return=representation, resolution=merge-duplicates", old.clone()).await;
    assert_eq!(
        (
            merged.status,
            &merged.body[0]["value"],
            merged.body[0]["entries"].as_array().map(Vec::len)
        ),
        (200, &json!(77.0), Some(entries + 1)),
        "{}",
        merged.body
    );
    let new = json!({"number": "N1", "value": 1, "entries": [{"amount": 4}]});
    let both = send(
        "return=representation, resolution=merge-duplicates",
        json!([old, new]),
    )
    .await;
    assert_eq!((both.status, both.body.as_array().map(Vec::len)), (201, Some(2)));
    let twice = send(
        "return=representation, resolution=merge-duplicates",
        json!([new, new]),
    )
    .await;
    assert_eq!(
        twice.body,
        json!([{"number": "N1", "value": 1.0, "entries": [{"amount": 4.0}, {"amount": 4.0}]}])
    );
    let ignored = send(
        "return=representation, resolution=ignore-duplicates",
        json!([old, new]),
    )
    .await;
    assert_eq!(
        (ignored.status, ignored.body),
        (
            201,
            json!([{"number": "N1", "value": 1.0, "entries": [{"amount": 4.0}]}])
        )
    );
    let refused = send("return=representation", json!([new, old])).await;
    assert_eq!((refused.status, refused.code()), (409, "23505"));
}

#[tokio::test]
async fn defaults_and_representations_hold_on_every_level() {
    let shop = Shop::open().await;
    let wall = json!({"id": 9, "paints": {"id": 9, "name": "Sea", "colour": "#0000fe"}}).to_string();
    let answer = shop
        .send(
            "POST",
            "/walls?columns=id,paints(*)&select=id,paints(colour)",
            &[SHOW],
            &wall,
        )
        .await;
    assert_eq!(
        answer.body,
        json!([{"id": 9, "paints": {"colour": "#0000fe"}}]),
        "{}",
        answer.status
    );
    let rows = json!({"name": "N", "orders": [{"number": "N1"}, {"number": "N2", "value": 2.5, "level": "warning"}]}).to_string();
    let target = "/suppliers?columns=name,orders(number,value,level)&select=name,orders(value,level)&orders.order=number";
    let default = shop
        .send(
            "POST",
            target,
            &[("prefer", "return=representation, missing=default")],
            &rows,
        )
        .await;
    assert_eq!(
        default.body,
        json!([{"name": "N", "orders": [{"value": 0.0, "level": "on_track"}, {"value": 2.5, "level": "warning"}]}])
    );
    assert_eq!(
        default.header("preference-applied"),
        Some("missing=default, return=representation")
    );
    let null = shop.send("POST", target, &[SHOW], &rows).await;
    assert_eq!((null.status, null.code()), (400, "23502"));
}

#[tokio::test]
async fn views_and_relations_to_themselves_take_rows_too() {
    let shop = Shop::open().await;
    let view = shop
        .send(
            "POST",
            "/late_orders?columns=number,entries(amount)",
            &[("prefer", "count=exact")],
            &json!({"number": "N1", "entries": [{"amount": 1}]}).to_string(),
        )
        .await;
    assert_eq!(
        (view.status, view.header("content-range")),
        (201, Some("*/1")),
        "{}",
        view.body
    );
    let tree = post(
        &shop,
        "/orders?columns=number,replacements:orders(number,replacements:orders(number))&select=number,replacements:orders(number,replacements:orders(number))",
        &json!({"number": "N1", "replacements": [{"number": "N2", "replacements": [{"number": "N3"}]}]}),
    )
    .await;
    assert_eq!(
        tree.body,
        json!([{"number": "N1", "replacements": [{"number": "N2", "replacements": [{"number": "N3"}]}]}])
    );
}

#[tokio::test]
async fn names_and_values_stay_what_they_are() {
    let shop = Shop::open().await;
    let (open, thing) = ("%22odd%20%5C%22box'%5C%5C%22", "%22odd%20thing%22");
    let label = "'; drop table shop.orders; -- \"\\ {\"up\":[9]}";
    let body = json!({"label \"'": label, "a\"'\\": [{}, {"id": 7, "up": [5], "row": {}}]});
    let answer = post(
        &shop,
        &format!("/odd%20%22box'%5C?columns=%22label%20%5C%22'%22,%22a%5C%22'%5C%5C%22:{thing}()&select=*,t:{thing}(box:%22box%20%5C%22'%5C%5C%22)"),
        &body,
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let key = &answer.body[0]["key \"'\\"];
    assert_eq!(answer.body[0]["label \"'"], label);
    assert_eq!(answer.body[0]["t"], json!([{"box": key}, {"box": key}]));
    let brought = post(
        &shop,
        &format!(
            "/odd%20thing?columns=b:{open}(%22label%20%5C%22'%22)&select=b:{open}(%22label%20%5C%22'%22)"
        ),
        &json!([{"b": {"label \"'": label}}]),
    )
    .await;
    assert_eq!(
        brought.body,
        json!([{"b": {"label \"'": label}}]),
        "{}",
        brought.status
    );
}

#[tokio::test]
async fn a_request_of_another_organisation_reaches_nothing_here() {
    let mut shop = Shop::open().await;
    let order = shop.get("/orders?select=id&number=eq.PO-2").await.body[0]["id"].clone();
    shop.tenant = Some(uuid::Uuid::from_u128(0x0b));
    // Neither a foreign key nor a conflict leads to the row of the other organisation.
    let key = json!({"amount": 1, "order_id": order, "checker": {"id": order, "name": "x"}});
    let refused = post(
        &shop,
        "/entries?columns=amount,order_id,checker:people!checker_id(*)",
        &key,
    )
    .await;
    assert_eq!((refused.status, refused.code()), (409, "23503"));
    let merge = json!({"id": order, "number": "N1", "entries": [{"amount": 1}]}).to_string();
    let made = shop
        .send(
            "POST",
            "/orders?columns=id,number,entries(amount)&select=org_id,entries(org_id)",
            &[("prefer", "return=representation, resolution=merge-duplicates")],
            &merge,
        )
        .await;
    let org = uuid::Uuid::from_u128(0x0b).to_string();
    assert_eq!(
        (made.status, made.body),
        (201, json!([{"org_id": org, "entries": [{"org_id": org}]}]))
    );
}

#[tokio::test]
async fn rows_inside_rows_are_found_where_that_is_wished() {
    let shop = Shop::open().await;
    let wish = [("prefer", "return=representation, nested=insert")];
    let body = json!({"number": "N1", "suppliers": {"name": "New"}, "entries": [{"amount": 1}]}).to_string();
    let answer = shop
        .send(
            "POST",
            "/orders?select=number,suppliers(name),entries(amount)",
            &wish,
            &body,
        )
        .await;
    assert_eq!(
        (
            answer.status,
            answer.header("preference-applied"),
            answer.body.clone()
        ),
        (
            201,
            Some("nested=insert, return=representation"),
            json!([{"number": "N1", "suppliers": {"name": "New"}, "entries": [{"amount": 1.0}]}])
        )
    );
    let rows =
        json!([{"number": "N1", "entries": [{"amount": 1}]}, {"number": "N2", "value": 5}]).to_string();
    let listed = "/orders?columns=%22number%22,%22entries%22,%22value%22&select=number,value,entries(amount)";
    let default = [("prefer", "return=representation, nested=insert, missing=default")];
    let answer = shop.send("POST", listed, &default, &rows).await;
    assert_eq!(
        answer.body,
        json!([{"number": "N1", "value": 0.0, "entries": [{"amount": 1.0}]}, {"number": "N2", "value": 5.0, "entries": []}])
    );
    let flat = shop.send("POST", "/marks", &wish, r#"[{"place":"x"}]"#).await;
    assert_eq!(
        (flat.status, flat.body),
        (201, json!([{"place": "x", "mark": null}]))
    );
    let table = [wish[0], ("content-type", "text/csv")];
    let table = shop.send("POST", "/marks", &table, "place,mark\nx,y").await;
    assert_eq!(
        (table.status, table.body),
        (201, json!([{"place": "x", "mark": "y"}]))
    );
    // Without the wish such a key is what it always was.
    let unasked = shop.send("POST", "/orders", &[SHOW], &body).await;
    assert_eq!((unasked.status, unasked.code()), (400, "PGRST204"));
    let ambiguous = shop
        .send("POST", "/entries", &wish, r#"{"amount":1,"people":{"name":"x"}}"#)
        .await;
    assert_eq!((ambiguous.status, ambiguous.code()), (300, "PGRST201"));
}
