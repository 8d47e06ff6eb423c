//! POST of rows with rows inside them, on a whole server.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestServer, TestUser};

use crate::own_schemas;
use crate::server::{SHOW, goods, id, send};

const NESTED: &str =
    "/rest/v1/makers?columns=id,name,items(*)&select=name,items(name,price)&items.order=name";

async fn post(user: &TestUser, target: &str, body: &Value) -> (u16, Value) {
    send(user, Method::POST, target, &[SHOW], body).await
}

async fn all(user: &TestUser) -> Value {
    user.get_json("/rest/v1/makers?select=name,items(name)&order=name&items.order=name")
        .await
        .1
}

fn maker(number: u128, items: &Value) -> Value {
    json!({"id": id(number), "name": format!("Maker {number}"), "items": items})
}

#[tokio::test]
async fn makers_come_with_their_items_and_stay() {
    let server = TestServer::start(vec![goods()]).await;
    let (here, there) = (
        server.organization("Here").await,
        server.organization("There").await,
    );
    let body = json!([
        maker(
            1,
            &json!([{"id": id(10), "name": "Bolt", "price": 1.5}, {"id": id(11), "name": "Nut", "price": 2}])
        ),
        maker(2, &json!([{"id": id(12), "name": "Gear", "price": 3}])),
        maker(3, &json!([])),
    ]);
    let (status, made) = post(&here.owner, NESTED, &body).await;
    let shown = json!([
        {"name": "Maker 1", "items": [{"name": "Bolt", "price": 1.5}, {"name": "Nut", "price": 2.0}]},
        {"name": "Maker 2", "items": [{"name": "Gear", "price": 3.0}]},
        {"name": "Maker 3", "items": []},
    ]);
    assert_eq!((status, made), (201, shown));
    let kept = all(&here.owner).await;
    assert_eq!(kept[0]["items"], json!([{"name": "Bolt"}, {"name": "Nut"}]));
    assert_eq!(all(&there.owner).await, json!([]));
    // The same ids are others' there.
    let (status, _) = post(&there.owner, NESTED, &body).await;
    assert_eq!(status, 201);
    assert_eq!(all(&here.owner).await, kept);
}

#[tokio::test]
async fn who_may_not_insert_a_part_inserts_nothing() {
    let server = TestServer::start(vec![goods()]).await;
    let (here, there) = (
        server.organization("Here").await,
        server.organization("There").await,
    );
    let viewer = server.member(&here, Role::Viewer).await;
    let body = maker(1, &json!([{"id": id(10), "name": "Bolt"}]));
    let (status, refused) = post(&viewer, NESTED, &body).await;
    assert_eq!((status, &refused["code"]), (403, &json!("42501")), "{refused}");
    let (status, refused) = post(&here.owner.in_org(there.id), NESTED, &body).await;
    assert_eq!(
        (status, &refused["code"]),
        (404, &json!("tenancy.org_not_found")),
        "{refused}"
    );
    let stranger = server.anonymous(Method::POST, NESTED).json(&body);
    let (status, refused) = tenon_testkit::answer(stranger).await;
    assert_eq!((status, &refused["code"]), (401, &json!("42501")), "{refused}");
    let other = there.id.to_string();
    for items in [
        json!([{"id": id(10), "name": "Bolt", "org_id": other}]),
        json!([{"id": id(10), "name": "Bolt"}, {"id": id(10), "name": "Nut"}]),
        json!([{"id": id(10), "name": null}]),
        json!([{"id": id(10), "name": "Bolt", "price": "much"}]),
        json!([{"id": id(10), "name": "Bolt", "maker_id": id(1)}]),
    ] {
        let (status, refused) = post(&here.owner, NESTED, &maker(1, &items)).await;
        assert!((400..=409).contains(&status), "{status} {refused}");
        assert!(
            refused.as_object().is_some_and(|error| error.len() == 4),
            "{refused}"
        );
    }
    let mut smuggled = body.clone();
    smuggled["org_id"] = json!(other);
    let target = NESTED.replace("columns=id", "columns=org_id,id");
    let (status, refused) = post(&here.owner, &target, &smuggled).await;
    assert_eq!((status, &refused["code"]), (403, &json!("42501")), "{refused}");
    assert_eq!(
        (all(&here.owner).await, all(&there.owner).await),
        (json!([]), json!([]))
    );
}

#[tokio::test]
async fn a_batch_takes_rows_inside_rows_several_times() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    let insert = |name: &str, number: u128, items: &Value| {
        json!({"id": name, "method": "POST", "prefer": SHOW.1, "body": maker(number, items),
               "path": "/makers?columns=id,name,items(*)&select=id,items(id)&items.order=id"})
    };
    let operations = json!([
        insert(
            "a",
            1,
            &json!([{"id": id(10), "name": "Bolt", "price": 1}, {"id": id(11), "name": "Nut", "price": 1}])
        ),
        insert(
            "b",
            2,
            &json!([{"id": id(12), "name": {"$ref": "a/0/items/1/id"}, "price": 1}])
        ),
        insert("c", 3, &json!([])),
    ]);
    let (status, done) = send(&owner, Method::POST, "/rest/v1/batch", &[], &operations).await;
    assert_eq!(status, 200, "{done}");
    let bodies: Vec<&Value> = done
        .as_array()
        .into_iter()
        .flatten()
        .map(|part| &part["body"])
        .collect();
    assert_eq!(
        bodies,
        [
            &json!([{"id": id(1), "items": [{"id": id(10)}, {"id": id(11)}]}]),
            &json!([{"id": id(2), "items": [{"id": id(12)}]}]),
            &json!([{"id": id(3), "items": []}]),
        ]
    );
    assert_eq!(all(&owner).await[1]["items"], json!([{"name": id(11)}]));
}

#[tokio::test]
async fn as_many_makers_as_are_allowed_travel_at_once() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    let makers = |count: u128| -> Value {
        let item = |n: u128| json!([{"id": id(5000 + n), "name": format!("Item {n}"), "price": n}]);
        (0..count).map(|n| maker(n, &item(n))).collect()
    };
    let (status, refused) = post(&owner, NESTED, &makers(1001)).await;
    assert_eq!(
        (status, &refused["code"]),
        (413, &json!("rest.nested_too_large")),
        "{refused}"
    );
    let (status, made) = post(&owner, NESTED, &makers(1000)).await;
    assert_eq!((status, made.as_array().map(Vec::len)), (201, Some(1000)));
    assert_eq!(
        made[999],
        json!({"name": "Maker 999", "items": [{"name": "Item 999", "price": 999.0}]})
    );
}

#[tokio::test]
async fn a_rehearsal_shows_all_and_leaves_nothing() {
    let server = TestServer::configured(vec![goods()], |config| config.rest.tx_rollback = true).await;
    let owner = server.organization("Here").await.owner;
    let wish = [("prefer", "tx=rollback, return=representation, nested=insert")];
    let body = maker(1, &json!([{"id": id(10), "name": "Bolt", "price": 1}]));
    let target = "/rest/v1/makers?select=name,items(name)";
    for _ in 0..2 {
        let (status, shown) = send(&owner, Method::POST, target, &wish, &body).await;
        let expected = json!([{"name": "Maker 1", "items": [{"name": "Bolt"}]}]);
        assert_eq!((status, shown), (201, expected));
    }
    assert_eq!(all(&owner).await, json!([]));
}

#[tokio::test]
async fn rows_of_an_organisation_bring_rows_beside_it() {
    let server = own_schemas::start().await;
    let (here, there) = (
        server.organization("Here").await,
        server.organization("There").await,
    );
    let profile = ("content-profile", "stock");
    let target = "/rest/v1/boxes?columns=id,label,moves(id,amount),remarks(body)&select=label,moves(amount),remarks(body,org_id,box_id)";
    let body = json!([
        {"id": 1, "label": "One", "moves": [{"id": 1, "amount": 5}], "remarks": [{"body": "heavy"}]},
        {"id": 2, "label": "Two", "remarks": [{"body": "light"}]}
    ]);
    for org in [&here, &there] {
        let (status, made) = send(&org.owner, Method::POST, target, &[profile, SHOW], &body).await;
        let id = org.id.to_string();
        let expected = json!([
            {"label": "One", "moves": [{"amount": 5}], "remarks": [{"body": "heavy", "org_id": id, "box_id": 1}]},
            {"label": "Two", "moves": [], "remarks": [{"body": "light", "org_id": id, "box_id": 2}]}
        ]);
        assert_eq!((status, made), (201, expected));
    }
    let brought = json!({"body": "new", "boxes": {"id": 3, "label": "Three"}});
    let target = "/rest/v1/remarks?columns=body,boxes(*)&select=box_id,org_id,boxes(label)";
    let (status, made) = send(&here.owner, Method::POST, target, &[profile, SHOW], &brought).await;
    let expected = json!([{"box_id": 3, "org_id": here.id.to_string(), "boxes": {"label": "Three"}}]);
    assert_eq!((status, made), (201, expected));
}
