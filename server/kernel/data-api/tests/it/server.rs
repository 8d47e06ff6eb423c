//! `/rest/v1` on a whole server: roles, policies, organisations and the pipeline are the real ones.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::db::Migration;
use tenon_sdk::permission::Role;
use tenon_sdk::{Module, permissions};
use tenon_testkit::{TestServer, TestUser};
use uuid::Uuid;

permissions! {
    pub ItemsRead = "goods.items.read", from Viewer, "See items";
    pub ItemsWrite = "goods.items.write", from Manager, "Change items";
}

pub fn goods() -> Module {
    const MIGRATIONS: &[Migration] = &[Migration {
        name: "0001_goods",
        sql: include_str!("migrations/0001_goods.sql"),
    }];
    Module::app("goods", "Goods")
        .tables("goods", MIGRATIONS)
        .permissions(ALL)
        .api_schema("goods")
}

pub async fn send(
    user: &TestUser,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> (u16, Value) {
    let mut request = user.request(method, path).json(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    tenon_testkit::answer(request).await
}

pub fn id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

pub const SHOW: (&str, &str) = ("prefer", "return=representation");
const ONE: (&str, &str) = ("accept", "application/vnd.pgrst.object+json");

#[tokio::test]
async fn members_read_and_write_what_their_role_allows_and_nobody_elses_rows() {
    let server = TestServer::start(vec![goods()]).await;
    let (here, there) = (
        server.organization("Here").await,
        server.organization("There").await,
    );
    let viewer = server.member(&here, Role::Viewer).await;

    let maker = json!({"id": id(1), "name": "Acme"});
    let (status, made) = send(&here.owner, Method::POST, "/rest/v1/makers", &[SHOW, ONE], &maker).await;
    assert_eq!(
        (status, &made["org_id"]),
        (201, &json!(here.id.to_string())),
        "{made}"
    );
    let items = json!([{"id": id(2), "name": "Bolt", "price": 1.5, "maker_id": id(1)}, {"id": id(3), "name": "Nut", "price": 9, "maker_id": null}]);
    let (status, body) = send(&here.owner, Method::POST, "/rest/v1/items", &[], &items).await;
    assert_eq!((status, body), (201, Value::Null));

    let list = "/rest/v1/items?select=name,price,maker:makers(name)&order=name&limit=50";
    let expected = json!([{"name": "Bolt", "price": 1.50, "maker": {"name": "Acme"}}, {"name": "Nut", "price": 9.00, "maker": null}]);
    assert_eq!(viewer.get_json(list).await, (200, expected.clone()));
    assert_eq!(there.owner.get_json(list).await, (200, json!([])));
    assert_eq!(here.owner.in_org(there.id).get_json(list).await.0, 404);

    let change = format!("/rest/v1/items?id=eq.{}", id(2));
    let (status, changed) = send(&here.owner, Method::PATCH, &change, &[SHOW], &json!({"price": 2})).await;
    assert_eq!((status, &changed[0]["price"]), (200, &json!(2.00)), "{changed}");
    assert_eq!(
        send(
            &there.owner,
            Method::PATCH,
            &change,
            &[SHOW],
            &json!({"price": 3})
        )
        .await,
        (200, json!([]))
    );
    assert_eq!(
        send(&viewer, Method::PATCH, &change, &[SHOW], &json!({"price": 3})).await,
        (200, json!([]))
    );
    let (status, refused) = send(
        &viewer,
        Method::POST,
        "/rest/v1/items",
        &[],
        &json!({"id": id(9), "name": "x"}),
    )
    .await;
    assert_eq!((status, &refused["code"]), (403, &json!("42501")), "{refused}");
    let smuggled = json!({"id": id(9), "name": "x", "org_id": there.id.to_string()});
    let (status, refused) = send(&here.owner, Method::POST, "/rest/v1/items", &[], &smuggled).await;
    assert_eq!((status, &refused["code"]), (403, &json!("42501")), "{refused}");
    let (status, refused) = send(
        &here.owner,
        Method::DELETE,
        "/rest/v1/makers?name=eq.Acme",
        &[],
        &json!({}),
    )
    .await;
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("42501")),
        "not granted: {refused}"
    );
    assert_eq!(
        here.owner.get_json("/rest/v1/rpc/cheapest").await,
        (200, json!(2.00))
    );
}

#[tokio::test]
async fn strangers_get_401_and_all_errors_have_four_keys() {
    let server = TestServer::start(vec![goods()]).await;
    let (status, body) = tenon_testkit::answer(server.anonymous(Method::GET, "/rest/v1/items")).await;
    assert_eq!((status, &body["code"]), (401, &json!("42501")), "{body}");
    let owner = server.organization("Here").await.owner;
    for (path, expected, code) in [
        ("/rest/v1/item", 404, "PGRST205"),
        ("/rest/v1/items?select=nothing", 400, "42703"),
        ("/rest/v1/items?price=eq.many", 400, "22P02"),
        ("/rest/v1/items?price=wrong.1", 400, "PGRST100"),
    ] {
        let (status, body) = owner.get_json(path).await;
        assert_eq!(
            (status, &body["code"]),
            (expected, &json!(code)),
            "{path}: {body}"
        );
        assert_eq!(
            body.as_object().map(serde_json::Map::len),
            Some(4),
            "{path}: {body}"
        );
    }
}

#[tokio::test]
async fn the_root_describes_what_the_caller_may_touch() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    for path in ["/rest/v1/", "/rest/v1"] {
        let (status, document) = owner.get_json(path).await;
        assert_eq!(
            (status, &document["basePath"]),
            (200, &json!("/rest/v1")),
            "{document}"
        );
        assert_ne!(document["paths"].get("/items"), None, "{document}");
    }
    let (status, document) = tenon_testkit::answer(server.anonymous(Method::GET, "/rest/v1/")).await;
    assert_eq!(
        (status, document["paths"].get("/items")),
        (200, None),
        "{document}"
    );
}

#[tokio::test]
async fn an_organisation_may_be_named_by_its_slug_or_left_to_the_default() {
    let server = TestServer::start(vec![goods()]).await;
    let org = server.organization("Here").await;
    let item = json!({"id": id(1), "name": "Bolt"});
    assert_eq!(
        send(&org.owner, Method::POST, "/rest/v1/items", &[], &item)
            .await
            .0,
        201
    );
    let nobodys = server.user("stranger").await;
    for _ in 0..2 {
        let by_slug = server
            .http()
            .get(server.url("/rest/v1/items?select=name"))
            .bearer_auth(&org.owner.token);
        let by_slug = tenon_testkit::answer(by_slug.header("x-org-id", &org.slug)).await;
        assert_eq!(by_slug, (200, json!([{"name": "Bolt"}])));
        let default = server
            .http()
            .get(server.url("/rest/v1/items?select=name"))
            .bearer_auth(&org.owner.token);
        assert_eq!(
            tenon_testkit::answer(default).await,
            (200, json!([{"name": "Bolt"}]))
        );
        let stranger = server
            .http()
            .get(server.url("/rest/v1/items"))
            .bearer_auth(&nobodys.token);
        assert_eq!(
            tenon_testkit::answer(stranger.header("x-org-id", &org.slug))
                .await
                .0,
            404
        );
    }
}

#[tokio::test]
async fn a_write_that_must_not_stand_is_undone() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    let items = json!([{"id": id(1), "name": "Bolt"}, {"id": id(2), "name": "Nut"}]);
    let (status, refused) = send(&owner, Method::POST, "/rest/v1/items", &[SHOW, ONE], &items).await;
    assert_eq!((status, &refused["code"]), (406, &json!("PGRST116")), "{refused}");
    assert_eq!(refused["details"], "The result contains 2 rows");
    assert_eq!(owner.get_json("/rest/v1/items").await, (200, json!([])));
    assert_eq!(
        send(&owner, Method::POST, "/rest/v1/items", &[], &items).await.0,
        201
    );
    let limit = ("prefer", "handling=strict, max-affected=1");
    let (status, refused) = send(
        &owner,
        Method::DELETE,
        "/rest/v1/items?price=eq.0",
        &[limit],
        &json!({}),
    )
    .await;
    assert_eq!((status, &refused["code"]), (400, &json!("PGRST124")), "{refused}");
    assert_eq!(
        owner.get_json("/rest/v1/items?select=name&order=name").await.1,
        json!([{"name": "Bolt"}, {"name": "Nut"}])
    );
}

#[tokio::test]
async fn headers_say_what_was_done() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    let answer = owner
        .get("/rest/v1/items")
        .header("prefer", "count=exact")
        .send()
        .await
        .expect("an answer");
    let header = |name: &str| {
        answer
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    assert_eq!(header("preference-applied"), "count=exact");
    assert_eq!(header("content-range"), "*/0");
}

#[tokio::test]
async fn no_count_hints_at_what_others_have() {
    let server = TestServer::start(vec![goods()]).await;
    let (here, there) = (
        server.organization("Here").await,
        server.organization("There").await,
    );
    for (owner, count) in [(&here.owner, 20), (&there.owner, 400)] {
        let items: Vec<Value> = (0..count)
            .map(|number| {
                let id = format!("00000000-0000-7000-8000-{number:012}");
                json!({"id": id, "name": format!("Bolt {number}"), "price": i32::from(count > 20)})
            })
            .collect();
        let sent = owner.post("/rest/v1/items").json(&items).send().await;
        assert_eq!(sent.expect("an answer").status(), 201);
    }
    server
        .admin()
        .await
        .batch_execute("analyze goods.items")
        .await
        .expect("analyzed");
    for (wish, filter, range) in [
        // What all of theirs have and none of ours.
        ("planned", "price=eq.1", "*/0"),
        ("estimated", "price=eq.1", "*/0"),
        ("planned", "price=eq.0", "0-19/20"),
        ("estimated", "or=(price.eq.1,name.eq.Bolt 1)", "0-0/1"),
    ] {
        let answer = here
            .owner
            .get(&format!("/rest/v1/items?{filter}"))
            .header("prefer", format!("count={wish}"))
            .send()
            .await
            .expect("an answer");
        let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("content-range"), range, "{wish} {filter}");
        assert_eq!(header("preference-applied"), "count=exact");
    }
}

#[tokio::test]
async fn a_new_table_is_seen_after_the_schema_is_announced() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    assert_eq!(owner.get_json("/rest/v1/extras").await.0, 404);
    let admin = server.admin().await;
    admin
        .batch_execute(
            "create table goods.extras (id int primary key); grant select on goods.extras to authenticated; notify pgrst, 'reload schema'",
        )
        .await
        .expect("a new table");
    let mut status = 0;
    for _ in 0..100 {
        status = owner.get_json("/rest/v1/extras").await.0;
        if status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(status, 200);
}

#[tokio::test]
async fn requests_go_on_while_the_schema_is_read() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    // Reading the schema waits for the comments; nothing else does.
    let lock = server.admin().await;
    lock.batch_execute("begin; lock table pg_catalog.pg_description in access exclusive mode")
        .await
        .expect("a lock");
    let admin = server.admin().await;
    admin
        .batch_execute("create table goods.extras (id int primary key); grant select on goods.extras to authenticated; notify pgrst, 'reload schema'")
        .await
        .expect("a new table");
    let waiting = "select count(*) from pg_locks l join pg_database d on d.oid = l.database \
                   where d.datname = current_database() and not l.granted and l.relation = 'pg_description'::regclass";
    for waited in 0.. {
        let count: i64 = admin.query_one(waiting, &[]).await.expect("locks").get(0);
        if count > 0 {
            break;
        }
        assert!(waited < 200, "nobody reads the schema");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    for number in 0..50 {
        let item = json!({"id": id(number), "name": format!("item {number}")});
        let (status, body) = send(&owner, Method::POST, "/rest/v1/items", &[], &item).await;
        assert_eq!(status, 201, "{body}");
        assert_eq!(
            owner.get_json("/rest/v1/items?select=name,makers(name)").await.0,
            200
        );
        assert_eq!(owner.get_json("/rest/v1/extras").await.0, 404);
    }
    lock.batch_execute("rollback").await.expect("the lock is gone");
    for waited in 0.. {
        if owner.get_json("/rest/v1/extras").await.0 == 200 {
            break;
        }
        assert!(waited < 200, "the new schema is not used");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_time_zone_is_set_for_one_request_or_batch_alone() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    let own = owner.get_json("/rest/v1/rpc/zone").await.1;
    let wish = ("prefer", "timezone=Asia/Tokyo");
    let call = json!([{"method": "GET", "path": "/rpc/zone"}]);
    assert_eq!(
        send(&owner, Method::POST, "/rest/v1/rpc/zone", &[wish], &json!({})).await,
        (200, json!("Asia/Tokyo"))
    );
    let (status, body) = send(&owner, Method::POST, "/rest/v1/batch", &[wish], &call).await;
    assert_eq!((status, &body[0]["body"]), (200, &json!("Asia/Tokyo")));
    let (status, refused) = send(
        &owner,
        Method::POST,
        "/rest/v1/rpc/zone",
        &[("prefer", "timezone=Moon/Base")],
        &json!({}),
    )
    .await;
    assert_eq!((status, &refused["code"]), (400, &json!("22023")), "{refused}");
    for _ in 0..20 {
        assert_eq!(owner.get_json("/rest/v1/rpc/zone").await.1, own);
    }
}
