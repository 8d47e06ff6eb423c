//! What an answer must not tell: whether another organisation, or a row of it, exists.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{TestServer, answer};
use uuid::Uuid;

use crate::server::{SHOW, goods, id, send};

const ITEMS: &str = "/rest/v1/items";

/// Two organisations; the second one has a maker and an item.
async fn house() -> (TestServer, tenon_testkit::TestOrg, tenon_testkit::TestOrg) {
    let server = TestServer::start(vec![goods()]).await;
    let here = server.organization("Here").await;
    let there = server.organization("There").await;
    for (path, body) in [
        ("/rest/v1/makers", json!({"id": id(1), "name": "Secret Works"})),
        (
            ITEMS,
            json!({"id": id(2), "name": "Secret Bolt", "maker_id": id(1), "price": 7}),
        ),
    ] {
        let (status, body) = send(&there.owner, Method::POST, path, &[], &body).await;
        assert_eq!(status, 201, "{body}");
    }
    (server, here, there)
}

#[tokio::test]
async fn keys_of_other_organisations_are_free() {
    let (_server, here, there) = house().await;
    let same = json!({"id": id(2), "name": "Secret Bolt", "price": 1});
    for (method, path, prefer) in [
        (Method::POST, ITEMS.to_owned(), "return=representation"),
        (
            Method::POST,
            ITEMS.to_owned(),
            "return=representation,resolution=merge-duplicates",
        ),
        (
            Method::PUT,
            format!("{ITEMS}?id=eq.{}", id(2)),
            "return=representation",
        ),
    ] {
        let (status, made) = send(&here.owner, method.clone(), &path, &[("prefer", prefer)], &same).await;
        assert!([200, 201].contains(&status), "{method} {prefer}: {status} {made}");
        assert_eq!(made[0]["org_id"], here.id.to_string(), "{made}");
    }
    let (_, theirs) = there.owner.get_json("/rest/v1/items?select=name,price").await;
    assert_eq!(theirs, json!([{"name": "Secret Bolt", "price": 7.00}]));
}

#[tokio::test]
async fn rows_of_other_organisations_and_rows_of_none_get_the_same_answer() {
    let (_server, here, _there) = house().await;
    let nobodys = id(77);
    let ask = async |method: Method, path: &str, headers: &[(&str, &str)], body: Value| {
        let (status, body) = send(&here.owner, method, path, headers, &body).await;
        (status, body.to_string())
    };
    for (method, path, body) in [
        (Method::GET, "/rest/v1/items?id=eq.{id}", Value::Null),
        (
            Method::GET,
            "/rest/v1/items?maker_id=eq.{id}&select=*,makers(*)",
            Value::Null,
        ),
        (Method::PATCH, "/rest/v1/items?id=eq.{id}", json!({"price": 3})),
        (Method::DELETE, "/rest/v1/items?id=eq.{id}", Value::Null),
        (
            Method::POST,
            "/rest/v1/items",
            json!({"id": id(5), "name": "x", "maker_id": "{id}"}),
        ),
        (
            Method::POST,
            "/rest/v1/items?on_conflict=id",
            json!({"id": id(5), "name": "x", "maker_id": "{id}"}),
        ),
        (
            Method::POST,
            "/rest/v1/items",
            json!({"id": id(5), "name": "x", "org_id": "{id}"}),
        ),
    ] {
        for headers in [
            &[][..],
            &[SHOW],
            &[("prefer", "count=exact")],
            &[("accept", "application/vnd.pgrst.object+json")],
        ] {
            let mut answers = Vec::new();
            for (known, unknown) in [(id(1), false), (id(2), false), (nobodys.clone(), true)] {
                let body = body.to_string().replace("{id}", &known);
                let body: Value = serde_json::from_str(&body).expect("JSON");
                let (status, text) = ask(method.clone(), &path.replace("{id}", &known), headers, body).await;
                assert!(!text.contains("Secret"), "{method} {path}: {text}");
                answers.push((status, text.replace(&known, "…"), unknown));
            }
            assert_eq!(answers[0].0, answers[2].0, "{method} {path}: {answers:?}");
            assert_eq!(answers[0].1, answers[2].1, "{method} {path}");
            assert_eq!(answers[1].1, answers[2].1, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn organisations_of_others_and_organisations_that_are_not_get_the_same_answer() {
    let (server, here, there) = house().await;
    let nowhere = Uuid::from_u128(99).to_string();
    for (theirs, none) in [
        (there.id.to_string(), nowhere.as_str()),
        (there.slug.clone(), "nowhere"),
    ] {
        let ask = async |org: &str| {
            let request = server
                .http()
                .get(server.url(ITEMS))
                .bearer_auth(&here.owner.token);
            let (status, body) = answer(request.header("x-org-id", org)).await;
            (status, body.to_string().replace(org, "…"))
        };
        let (refused, unknown) = (ask(&theirs).await, ask(none).await);
        assert_eq!(refused, unknown);
        assert_eq!(refused.0, 404, "{}", refused.1);
    }
}

#[tokio::test]
async fn a_key_that_is_unique_everywhere_does_not_show_whose_it_is() {
    let (server, here, there) = house().await;
    // No table of ours has such a key; one of somebody else's may.
    let admin = server.admin().await;
    admin
        .batch_execute("alter table goods.items add column tag text unique; notify pgrst, 'reload schema'")
        .await
        .expect("a column");
    let tagged = |number: u128| json!({"id": id(number), "name": format!("n{number}"), "tag": "Secret tag"});
    for waited in 0.. {
        let (status, body) = send(&there.owner, Method::POST, ITEMS, &[], &tagged(20)).await;
        if status == 201 {
            break;
        }
        assert!(waited < 100, "the column is not known: {body}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let (status, refused) = send(&here.owner, Method::POST, ITEMS, &[], &tagged(21)).await;
    assert_eq!((status, &refused["code"]), (409, &json!("23505")), "{refused}");
    assert_eq!(
        (&refused["details"], &refused["hint"]),
        (&Value::Null, &Value::Null)
    );
    assert!(!refused.to_string().contains("Secret"), "{refused}");
}
