//! Tenon's own bucket: an organisation's files are its members', by permission and space, and nobody else's on any road.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestOrg, TestServer, TestServerOptions, TestUser, answer};

use crate::support::{by, kept, path, refusal, server, server_with, service, sql, text, visitor};

async fn up(user: &TestUser, place: &str, body: &str) -> (u16, Value) {
    answer(text(
        by(user, Method::POST, &format!("/object/files/{place}")),
        body,
    ))
    .await
}

async fn put(user: &TestUser, place: &str, body: &str) {
    let (status, told) = up(user, place, body).await;
    assert_eq!(status, 200, "{place}: {told}");
}

async fn reads(user: &TestUser, place: &str) -> bool {
    let (status, _) = answer(by(user, Method::GET, &format!("/object/files/{place}"))).await;
    assert!([200, 400].contains(&status), "{place}: {status}");
    status == 200
}

async fn usage(server: &TestServer, org: &TestOrg) -> (i64, i64) {
    let admin = server.admin().await;
    let row = admin
        .query_opt(
            "select bytes, objects from storage.usage where org_id = $1",
            &[&org.id],
        )
        .await
        .unwrap();
    row.map_or((0, 0), |row| (row.get(0), row.get(1)))
}

#[tokio::test]
async fn members_do_with_files_what_their_role_lets_them() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let place = format!("{}/a.txt", org.id);
    put(&org.owner, &place, "one").await;
    for (role, write, delete) in [
        (Role::Viewer, false, false),
        (Role::Member, true, true),
        (Role::Admin, true, true),
    ] {
        let user = server.member(&org, role).await;
        assert!(reads(&user, &place).await, "{role:?}");
        let own = format!("{}/{}.txt", org.id, role.as_str());
        let (status, told) = up(&user, &own, "x").await;
        assert_eq!(status == 200, write, "{role:?}: {told}");
        if !write {
            assert_eq!(
                refusal(&told),
                (
                    "403",
                    "AccessDenied",
                    "new row violates row-level security policy"
                )
            );
            put(&org.owner, &own, "x").await;
        }
        let (status, _) = answer(by(&user, Method::DELETE, &format!("/object/files/{own}"))).await;
        assert_eq!(status == 200, delete, "{role:?}");
    }
    let (_, listed) =
        answer(by(&org.owner, Method::POST, "/object/list/files").json(&json!({ "prefix": org.id }))).await;
    let names: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["a.txt", "viewer.txt"]);
    // The bucket is known to members, and the name of the organisation in the path is enough.
    let plain = server
        .anonymous(Method::GET, &path(&format!("/object/files/{place}")))
        .bearer_auth(&org.owner.token);
    assert_eq!(answer(plain).await.0, 200);
    let (_, buckets) = answer(by(&org.owner, Method::GET, "/bucket")).await;
    assert_eq!(buckets[0]["id"], "files");
}

#[tokio::test]
async fn nobody_else_reads_writes_lists_moves_signs_or_deletes_them() {
    let server = server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let place = format!("{}/secret.txt", ours.id);
    put(&ours.owner, &place, "secret").await;
    put(&theirs.owner, &format!("{}/own.txt", theirs.id), "own").await;
    let stranger = server.user("stranger").await;
    let in_ours = theirs.owner.in_org(ours.id);
    let key =
        json!({ "bucketId": "files", "sourceKey": place, "destinationKey": format!("{}/x.txt", theirs.id) });
    let into = json!({ "bucketId": "files", "sourceKey": format!("{}/own.txt", theirs.id), "destinationKey": format!("{}/y.txt", ours.id) });
    // Even where a policy of the operator's own lets everybody do everything.
    for policy in [
        "",
        "create policy open on storage.objects for all using (true) with check (true)",
    ] {
        sql(&server, policy).await;
        for user in [&theirs.owner, &in_ours, &stranger, &stranger.in_org(ours.id)] {
            for (method, to, body) in [
                (Method::GET, format!("/object/files/{place}"), Value::Null),
                (
                    Method::GET,
                    format!("/object/authenticated/files/{place}"),
                    Value::Null,
                ),
                (Method::GET, format!("/object/info/files/{place}"), Value::Null),
                (Method::GET, format!("/object/public/files/{place}"), Value::Null),
                (
                    Method::POST,
                    format!("/object/files/{}/new.txt", ours.id),
                    json!("x"),
                ),
                (Method::PUT, format!("/object/files/{place}"), json!("x")),
                (Method::DELETE, format!("/object/files/{place}"), Value::Null),
                (
                    Method::POST,
                    format!("/object/sign/files/{place}"),
                    json!({ "expiresIn": 60 }),
                ),
                (
                    Method::POST,
                    format!("/object/upload/sign/files/{}/new.txt", ours.id),
                    Value::Null,
                ),
                (Method::POST, "/object/move".to_owned(), key.clone()),
                (Method::POST, "/object/copy".to_owned(), key.clone()),
                (Method::POST, "/object/move".to_owned(), into.clone()),
                (Method::POST, "/object/copy".to_owned(), into.clone()),
            ] {
                let (status, told) = answer(by(user, method.clone(), &to).json(&body)).await;
                assert_eq!(status, 400, "{method} {to} {body}: {told}");
                assert!(
                    ["403", "404"].contains(&refusal(&told).0),
                    "{method} {to}: {told}"
                );
            }
            for (to, body) in [
                ("/object/list/files", json!({ "prefix": ours.id })),
                ("/object/list-v2/files", json!({ "prefix": ours.id })),
                ("/object/list-v2/files", json!({})),
                ("/object/sign/files", json!({ "expiresIn": 60, "paths": [place] })),
            ] {
                let (_, told) = answer(by(user, Method::POST, to).json(&body)).await;
                let text = told.to_string();
                assert!(
                    !text.contains("secret.txt\"") || text.contains("\"signedURL\":null"),
                    "{to}: {text}"
                );
            }
            let body = json!({ "prefixes": [place] });
            let (_, gone) = answer(by(user, Method::DELETE, "/object/files").json(&body)).await;
            assert!(gone.as_array().is_none_or(Vec::is_empty), "{gone}");
        }
        // Nor the operator's programs, nor a visitor.
        for method in [Method::GET, Method::DELETE] {
            let (status, _) = answer(service(&server, method, &format!("/object/files/{place}"))).await;
            assert_eq!(status, 400);
        }
        let (status, _) = answer(visitor(&server, Method::GET, &format!("/object/files/{place}"))).await;
        assert_eq!(status, 400);
        let (status, _) = answer(text(
            service(&server, Method::POST, &format!("/object/files/{}/z", ours.id)),
            "x",
        ))
        .await;
        assert_eq!(status, 400);
        let (_, told) =
            answer(service(&server, Method::POST, "/object/list-v2/files").json(&json!({}))).await;
        assert_eq!(told["objects"], json!([]));
    }
    assert!(reads(&ours.owner, &place).await);
    assert_eq!(kept(&server).await, 2);
}

#[tokio::test]
async fn a_walled_part_is_for_those_who_are_in_its_space() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let (inside, outside) = (
        server.member(&org, Role::Member).await,
        server.member(&org, Role::Member).await,
    );
    let (status, space) = org
        .owner
        .post_json("/api/v1/access/spaces", &json!({ "name": "Board" }))
        .await;
    assert_eq!(status, 201, "{space}");
    let space = space["id"].as_str().unwrap();
    let people = org
        .owner
        .request(Method::PUT, &format!("/api/v1/access/spaces/{space}/members"));
    let (status, told) = answer(people.json(&json!({ "members": [inside.id] }))).await;
    assert!([200, 204].contains(&status), "{told}");
    let place = format!("{}/spaces/{space}/minutes.txt", org.id);
    put(&inside, &place, "x").await;
    assert!(
        reads(&inside, &place).await && !reads(&outside, &place).await && !reads(&org.owner, &place).await
    );
    let (status, _) = up(&outside, &format!("{}/spaces/{space}/other.txt", org.id), "x").await;
    assert_eq!(status, 400);
    for name in [
        "spaces/x.txt",
        "spaces/nonsense/x.txt",
        "spaces/00000000-0000-0000-0000-000000000000/x.txt",
    ] {
        let (status, told) = up(&inside, &format!("{}/{name}", org.id), "x").await;
        assert_eq!((status, refusal(&told).1), (400, "AccessDenied"), "{name}");
    }
    let journey =
        json!({ "bucketId": "files", "sourceKey": place, "destinationKey": format!("{}/out.txt", org.id) });
    let (status, _) = answer(by(&outside, Method::POST, "/object/move").json(&journey)).await;
    assert_eq!(status, 400);
    let (_, listed) = answer(
        by(&outside, Method::POST, "/object/list-v2/files")
            .json(&json!({ "prefix": format!("{}/", org.id) })),
    )
    .await;
    assert_eq!(listed["objects"], json!([]));
}

#[tokio::test]
async fn names_in_the_bucket_begin_with_an_organisation() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    for name in [
        "a.txt",
        "folder/a.txt",
        "00000000-0000-0000-0000-000000000000/a.txt",
        &format!("{}", org.id),
    ] {
        let (status, told) = up(&org.owner, name, "x").await;
        assert_eq!(status, 400, "{name}: {told}");
    }
    let upper = org.id.to_string().to_uppercase();
    let (status, _) = up(&org.owner, &format!("{upper}/a.txt"), "x").await;
    assert_eq!(status, if upper == org.id.to_string() { 200 } else { 400 });
}

#[tokio::test]
async fn an_organisation_has_so_much_room_and_no_more() {
    let server = server_with(TestServerOptions {
        config: Some(|config| config.storage.organization_bytes = 100),
        ..TestServerOptions::default()
    })
    .await;
    let (org, other) = (
        server.organization("Harbour").await,
        server.organization("Railyard").await,
    );
    let place = |name: &str| format!("{}/{name}", org.id);
    put(&org.owner, &place("a"), &"x".repeat(60)).await;
    assert_eq!(usage(&server, &org).await, (60, 1));
    let (status, told) = up(&org.owner, &place("b"), &"x".repeat(41)).await;
    assert_eq!(
        (status, refusal(&told).0, refusal(&told).1),
        (400, "413", "QuotaExceeded")
    );
    assert!(told["hint"].is_string());
    put(&org.owner, &place("b"), &"x".repeat(40)).await;
    // What is replaced counts once.
    let same = by(&org.owner, Method::PUT, &format!("/object/files/{}", place("a")));
    assert_eq!(answer(text(same, &"y".repeat(60))).await.0, 200);
    assert_eq!(usage(&server, &org).await, (100, 2));
    let copy = json!({ "bucketId": "files", "sourceKey": place("b"), "destinationKey": place("c") });
    let (_, told) = answer(by(&org.owner, Method::POST, "/object/copy").json(&copy)).await;
    assert_eq!(refusal(&told).1, "QuotaExceeded", "{told}");
    assert_eq!(kept(&server).await, 3);
    let moved = json!({ "bucketId": "files", "sourceKey": place("b"), "destinationKey": place("d") });
    assert_eq!(
        answer(by(&org.owner, Method::POST, "/object/move").json(&moved))
            .await
            .0,
        200
    );
    let (status, _) = answer(by(
        &org.owner,
        Method::DELETE,
        &format!("/object/files/{}", place("a")),
    ))
    .await;
    assert_eq!((status, usage(&server, &org).await), (200, (40, 1)));
    put(&other.owner, &format!("{}/a", other.id), &"x".repeat(100)).await;
    // Of uploads that fit alone but not together, as many stand as fit.
    let all = (0..6).map(|number| {
        let user = org.owner.clone();
        let place = place(&format!("race-{number}"));
        async move { up(&user, &place, &"x".repeat(30)).await.0 }
    });
    let answers = futures_util::future::join_all(all).await;
    assert_eq!(
        answers.iter().filter(|status| **status == 200).count(),
        2,
        "{answers:?}"
    );
    assert_eq!(usage(&server, &org).await, (100, 3));
    // The operator settles another number for one of them.
    sql(
        &server,
        &format!(
            "update tenancy.organizations set settings = '{{\"storage_bytes\": 200}}' where id = '{}'",
            org.id
        ),
    )
    .await;
    put(&org.owner, &place("more"), &"x".repeat(100)).await;
}

#[tokio::test]
async fn an_address_that_was_signed_is_no_good_while_its_organisation_is_suspended() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let place = format!("{}/a.txt", org.id);
    put(&org.owner, &place, "x").await;
    let request = by(&org.owner, Method::POST, &format!("/object/sign/files/{place}"));
    let (_, told) = answer(request.json(&json!({ "expiresIn": 60 }))).await;
    let url = path(told["signedURL"].as_str().unwrap());
    assert_eq!(answer(server.anonymous(Method::GET, &url)).await.0, 200);
    sql(&server, "update tenancy.organizations set suspended_at = now()").await;
    let (status, told) = answer(server.anonymous(Method::GET, &url)).await;
    assert_eq!((status, refusal(&told).1), (400, "NoSuchKey"));
    assert!(!reads(&org.owner, &place).await);
}
