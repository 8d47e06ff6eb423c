//! Several operations in one transaction, on a whole server.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestServer, TestUser};

use crate::server::{SHOW, goods, id, send};

async fn batch(user: &TestUser, operations: &Value) -> (u16, Value) {
    send(user, Method::POST, "/rest/v1/batch", &[], operations).await
}

async fn names(user: &TestUser) -> Value {
    user.get_json("/rest/v1/items?select=name&order=name").await.1
}

#[tokio::test]
async fn later_operations_refer_to_the_results_of_earlier_ones() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    let operations = json!([
        {"id": "maker", "method": "POST", "path": "/makers?select=id,name", "prefer": SHOW.1,
         "accept": "application/vnd.pgrst.object+json", "body": {"id": id(1), "name": "A, B & \"C\""}},
        {"id": "items", "method": "POST", "path": "/items?select=id", "prefer": SHOW.1, "body": [
            {"id": id(2), "name": "Bolt", "price": 1.5, "maker_id": {"$ref": "maker/id"}},
            {"id": id(3), "name": "Nut", "price": 2, "maker_id": {"$ref": "0/id"}}]},
        {"method": "PATCH", "path": "/items?id=in.($ref:items/*/id)&maker_id=eq.$ref:maker/id&select=name,price&order=name",
         "prefer": SHOW.1, "body": {"price": 9}},
        {"method": "GET", "path": "/makers?select=id,items(name)&name=eq.$ref:maker/name", "prefer": "count=exact"},
        {"method": "GET", "path": "/makers?select=id&or=(name.eq.x,name.eq.$ref:maker/name)"},
        {"method": "DELETE", "path": "/items?id=eq.$ref:items/1/id"},
    ]);
    let (status, done) = batch(&owner, &operations).await;
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
            &json!({"id": id(1), "name": "A, B & \"C\""}),
            &json!([{"id": id(2)}, {"id": id(3)}]),
            &json!([{"name": "Bolt", "price": 9.00}, {"name": "Nut", "price": 9.00}]),
            &json!([{"id": id(1), "items": [{"name": "Bolt"}, {"name": "Nut"}]}]),
            &json!([{"id": id(1)}]),
            &Value::Null,
        ]
    );
    let statuses: Vec<&Value> = done
        .as_array()
        .into_iter()
        .flatten()
        .map(|part| &part["status"])
        .collect();
    assert_eq!(statuses, [201, 201, 200, 200, 200, 204]);
    assert_eq!(done[0]["id"], "maker");
    assert_eq!(done[3]["headers"]["content-range"], "0-0/1");
    assert_eq!(done[3]["headers"]["preference-applied"], "count=exact");
    assert_eq!(names(&owner).await, json!([{"name": "Bolt"}]));
}

#[tokio::test]
async fn each_operation_has_its_own_request_and_answer_settings() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    let operations = json!([
        {"method": "POST", "path": "/rpc/mark", "body": {"word": "one"}},
        {"method": "GET", "path": "/makers"},
        {"method": "POST", "path": "/rpc/mark", "body": {"word": {"$value": "two"}}},
    ]);
    let (status, done) = batch(&owner, &operations).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(done[0]["body"], "POST /rest/v1/rpc/mark");
    let marks: Vec<(&Value, &Value)> = (0..3)
        .map(|index| (&done[index]["status"], &done[index]["headers"]["x-mark"]))
        .collect();
    assert_eq!(
        marks,
        [
            (&json!(202), &json!("one")),
            (&json!(200), &Value::Null),
            (&json!(202), &json!("two"))
        ]
    );
}

#[tokio::test]
async fn all_happen_or_none_and_the_refused_one_is_named() {
    let server = TestServer::start(vec![goods()]).await;
    let here = server.organization("Here").await;
    let insert = |number: u128, name: &str| json!({"id": "new", "method": "POST", "path": "/items", "body": {"id": id(number), "name": name}});
    let plain = |method: &str, path: &str| json!({"method": method, "path": path});
    for (second, status, code, named) in [
        (
            json!({"id": "again", "method": "POST", "path": "/items", "body": {"id": id(1), "name": "x"}}),
            409,
            "23505",
            json!({"index": 1, "id": "again"}),
        ),
        (
            plain("GET", "/nothing"),
            404,
            "PGRST205",
            json!({"index": 1, "id": null}),
        ),
        (
            plain("GET", "/items?id=eq.$ref:new/0/id"),
            400,
            "rest.reference_unknown",
            json!({"index": 1, "id": null}),
        ),
        (
            plain("GET", "/items?id=eq.$ref:later/0/id"),
            400,
            "rest.reference_unknown",
            json!({"index": 1, "id": null}),
        ),
        (
            plain("GET", "/rpc/mark?word=x"),
            400,
            "rest.batch_invalid",
            json!({"index": 1, "id": null}),
        ),
        (
            json!({"method": "GET", "path": "/items", "prefer": "timezone=UTC"}),
            400,
            "rest.batch_invalid",
            json!({"index": 1, "id": null}),
        ),
        (
            json!({"method": "PATCH", "path": "/items", "prefer": "handling=strict, max-affected=0", "body": {"price": 1}}),
            400,
            "PGRST124",
            json!({"index": 1, "id": null}),
        ),
        (
            json!({"method": "GET", "path": "/items", "accept": "application/vnd.pgrst.object+json", "id": "one"}),
            200,
            "",
            Value::Null,
        ),
    ] {
        let (found, body) = batch(&here.owner, &json!([insert(1, "Bolt"), second])).await;
        assert_eq!(found, status, "{second}: {body}");
        if status == 200 {
            assert_eq!(names(&here.owner).await, json!([{"name": "Bolt"}]));
            continue;
        }
        assert_eq!(
            (&body["code"], &body["operation"]),
            (&json!(code), &named),
            "{second}: {body}"
        );
        assert_eq!(names(&here.owner).await, json!([]), "{second}");
    }
}

#[tokio::test]
async fn a_batch_can_do_no_more_than_its_caller() {
    let server = TestServer::start(vec![goods()]).await;
    let (here, there) = (
        server.organization("Here").await,
        server.organization("There").await,
    );
    let viewer = server.member(&here, Role::Viewer).await;
    let insert = json!({"method": "POST", "path": "/items", "body": {"id": id(1), "name": "Bolt"}});
    let list = json!({"id": "all", "method": "GET", "path": "/items?select=id,name"});
    assert_eq!(batch(&here.owner, &json!([insert])).await.0, 200);

    let (status, read) = batch(
        &viewer,
        &json!([
            list,
            list.as_object()
                .map(|_| json!({"method": "HEAD", "path": "/items"}))
        ]),
    )
    .await;
    assert_eq!(
        (status, &read[0]["body"][0]["name"]),
        (200, &json!("Bolt")),
        "{read}"
    );
    let other = json!({"method": "POST", "path": "/items", "body": {"id": id(2), "name": "Nut"}});
    let (status, refused) = batch(&viewer, &json!([list, other])).await;
    assert_eq!((status, &refused["code"]), (403, &json!("42501")), "{refused}");
    assert_eq!(refused["operation"]["index"], 1);

    let change = json!({"method": "PATCH", "path": format!("/items?id=eq.{}", id(1)), "prefer": SHOW.1, "body": {"price": 7}});
    let (status, theirs) = batch(&there.owner, &json!([list, change])).await;
    assert_eq!(
        (status, &theirs[0]["body"], &theirs[1]["body"]),
        (200, &json!([]), &json!([])),
        "{theirs}"
    );
    let (status, _) = batch(&there.owner.in_org(here.id), &json!([list])).await;
    assert_eq!(status, 404);

    let stranger = server
        .http()
        .post(server.url("/rest/v1/batch"))
        .json(&json!([list]));
    let (status, refused) = tenon_testkit::answer(stranger).await;
    assert_eq!(
        (status, &refused["operation"]["id"]),
        (401, &json!("all")),
        "{refused}"
    );
    let (status, written) = batch(&viewer, &json!([{"method": "GET", "path": "/rpc/mark?word=x"}])).await;
    assert_eq!(status, 200, "it does not write: {written}");
}

#[tokio::test]
async fn what_is_no_batch_is_refused() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    let get = json!({"method": "GET", "path": "/items"});
    for (operations, status, code) in [
        (json!({}), 400, "rest.batch_invalid"),
        (json!([]), 400, "rest.batch_invalid"),
        (json!([{"method": "GET"}]), 400, "rest.batch_invalid"),
        (json!(vec![get.clone(); 101]), 413, "rest.batch_too_large"),
        (
            json!([get, {"id": "x", "method": "POST", "path": "/batch", "body": []}]),
            404,
            "PGRST205",
        ),
    ] {
        let (found, body) = batch(&owner, &operations).await;
        assert_eq!((found, &body["code"]), (status, &json!(code)), "{body}");
    }
    assert_eq!(owner.get_json("/rest/v1/batch").await.1["code"], "PGRST205");
}

#[tokio::test]
async fn a_batch_whose_connection_or_caller_dies_half_way_leaves_nothing() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    let admin = server.admin().await;
    let operations = json!([
        {"method": "POST", "path": "/items", "body": {"id": id(1), "name": "Bolt"}},
        {"method": "POST", "path": "/rpc/slow"},
    ]);
    let sleeping = "select pid from pg_stat_activity where datname = current_database() \
                    and state = 'active' and query like '%\"slow\"%' and pid <> pg_backend_pid()";
    let wait_for = async |count: usize| {
        for _ in 0..400 {
            if admin.query(sleeping, &[]).await.expect("can be asked").len() == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("not {count} running");
    };
    let killed = async {
        wait_for(1).await;
        let kill = format!("select pg_terminate_backend(pid) from ({sleeping}) s");
        admin.query(&kill, &[]).await.expect("can be ended");
    };
    let ((status, body), ()) = tokio::join!(batch(&owner, &operations), killed);
    assert_eq!(status, 503, "{body}");
    assert_eq!(names(&owner).await, json!([]));

    tokio::select! {
        answer = batch(&owner, &operations) => panic!("too early: {answer:?}"),
        () = wait_for(1) => {}
    }
    wait_for(0).await;
    assert_eq!(names(&owner).await, json!([]));
}
