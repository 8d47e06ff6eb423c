use reqwest::Method;
use serde_json::json;
use tenon_testkit::answer;

use crate::support::{bucket, by, kept, put, refusal, server, service, sql, visitor};

#[tokio::test]
async fn a_bucket_is_made_read_changed_emptied_and_deleted() {
    let server = server().await;
    bucket(
        &server,
        "avatars",
        json!({ "public": true, "file_size_limit": "1MB", "allowed_mime_types": ["image/*", "text/plain"] }),
    )
    .await;
    let (status, told) = answer(service(&server, Method::GET, "/bucket/avatars")).await;
    assert_eq!(status, 200);
    assert_eq!(
        (
            &told["id"],
            &told["public"],
            &told["type"],
            &told["file_size_limit"],
            &told["owner"]
        ),
        (
            &json!("avatars"),
            &json!(true),
            &json!("STANDARD"),
            &json!(1_000_000),
            &json!("")
        ),
        "{told}"
    );
    assert_eq!(told["allowed_mime_types"], json!(["image/*", "text/plain"]));
    let at = told["created_at"].as_str().unwrap();
    assert!(at.ends_with('Z') && at.len() == 24, "{at}");

    let (_, again) =
        answer(service(&server, Method::POST, "/bucket").json(&json!({ "name": "avatars" }))).await;
    assert_eq!(
        refusal(&again),
        ("409", "BucketAlreadyExists", "The resource already exists")
    );
    assert_eq!(again["error"], "Duplicate");

    // What is not named stays, null takes away.
    let change = json!({ "public": false, "file_size_limit": null });
    let (status, told) = answer(service(&server, Method::PUT, "/bucket/avatars").json(&change)).await;
    assert_eq!((status, &told["message"]), (200, &json!("Successfully updated")));
    let (_, told) = answer(service(&server, Method::GET, "/bucket/avatars")).await;
    assert_eq!(
        (
            &told["public"],
            &told["file_size_limit"],
            &told["allowed_mime_types"]
        ),
        (&json!(false), &json!(null), &json!(["image/*", "text/plain"]))
    );

    put(&server, "avatars/a.txt", "one").await;
    put(&server, "avatars/deep/in/b.txt", "two").await;
    let (status, told) = answer(service(&server, Method::DELETE, "/bucket/avatars")).await;
    assert_eq!(
        (status, refusal(&told).0, refusal(&told).2),
        (400, "409", "The bucket you tried to delete is not empty")
    );
    let (status, told) = answer(service(&server, Method::POST, "/bucket/avatars/empty")).await;
    assert_eq!((status, &told["message"]), (200, &json!("Successfully emptied")));
    let (status, told) = answer(service(&server, Method::DELETE, "/bucket/avatars")).await;
    assert_eq!((status, &told["message"]), (200, &json!("Successfully deleted")));
    let (status, told) = answer(service(&server, Method::GET, "/bucket/avatars")).await;
    assert_eq!(
        (status, refusal(&told)),
        (400, ("404", "NoSuchBucket", "Bucket not found"))
    );
    // Those who read it at that moment read on for a while.
    assert_eq!(kept(&server).await, 2);
}

#[tokio::test]
async fn buckets_are_listed_in_pages_and_found_by_their_name() {
    let server = server().await;
    for name in ["alpha", "beta", "gamma", "Alphabet"] {
        bucket(&server, name, json!({})).await;
    }
    for (query, names) in [
        ("", vec!["Alphabet", "alpha", "beta", "gamma"]),
        ("?limit=2", vec!["Alphabet", "alpha"]),
        ("?limit=2&offset=2", vec!["beta", "gamma"]),
        ("?search=ALPHA", vec!["Alphabet", "alpha"]),
        ("?sortColumn=id&sortOrder=desc&limit=1", vec!["gamma"]),
        ("?search=%25", vec![]),
        ("?search=nothing", vec![]),
    ] {
        let (status, found) = answer(service(&server, Method::GET, &format!("/bucket{query}"))).await;
        assert_eq!(status, 200, "{found}");
        let found: Vec<&str> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|b| b["name"].as_str().unwrap())
            .collect();
        assert_eq!(found, names, "{query}");
    }
    for query in [
        "?sortColumn=owner;drop",
        "?sortOrder=up",
        "?limit=-1",
        "?offset=x",
    ] {
        let (status, told) = answer(service(&server, Method::GET, &format!("/bucket{query}"))).await;
        assert_eq!(status, 400, "{query}: {told}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_bucket_is_refused() {
    let server = server().await;
    for (body, code) in [
        (json!({}), "MissingParameter"),
        (json!({ "name": "" }), "InvalidBucketName"),
        (json!({ "name": "a/b" }), "InvalidBucketName"),
        (json!({ "name": "a".repeat(101) }), "InvalidBucketName"),
        (json!({ "name": ".." }), "InvalidBucketName"),
        (
            json!({ "name": "x", "file_size_limit": "lots" }),
            "InvalidRequest",
        ),
        (json!({ "name": "x", "file_size_limit": -1 }), "InvalidRequest"),
        (
            json!({ "name": "x", "file_size_limit": "900GB" }),
            "EntityTooLarge",
        ),
        (
            json!({ "name": "x", "allowed_mime_types": ["png"] }),
            "InvalidMimeType",
        ),
        (
            json!({ "name": "x", "allowed_mime_types": "image/png" }),
            "InvalidRequest",
        ),
        (json!({ "name": "x", "type": "ANALYTICS" }), "InvalidParameter"),
        (json!({ "name": 1 }), "InvalidRequest"),
        (json!([]), "InvalidRequest"),
    ] {
        let (status, told) = answer(service(&server, Method::POST, "/bucket").json(&body)).await;
        assert_eq!((status, refusal(&told).1), (400, code), "{body}: {told}");
    }
    let (status, told) = answer(service(&server, Method::POST, "/bucket").body("{")).await;
    assert_eq!((status, refusal(&told).1), (400, "InvalidRequest"));
}

#[tokio::test]
async fn buckets_are_out_of_sight_for_whom_no_policy_lets_in() {
    let server = server().await;
    bucket(&server, "hidden", json!({})).await;
    let user = server.user("ada").await;
    for request in [
        visitor(&server, Method::GET, "/bucket"),
        by(&user, Method::GET, "/bucket"),
    ] {
        let (status, found) = answer(request).await;
        assert_eq!((status, found), (200, json!([])));
    }
    for (method, to) in [
        (Method::GET, "/bucket/hidden"),
        (Method::DELETE, "/bucket/hidden"),
        (Method::POST, "/bucket/hidden/empty"),
    ] {
        let (status, told) = answer(by(&user, method.clone(), to)).await;
        assert_eq!((status, refusal(&told).1), (400, "NoSuchBucket"), "{method} {to}");
    }
    let (_, told) = answer(by(&user, Method::PUT, "/bucket/hidden").json(&json!({ "public": true }))).await;
    assert_eq!(refusal(&told).1, "NoSuchBucket");
    let (_, told) = answer(by(&user, Method::POST, "/bucket").json(&json!({ "name": "mine" }))).await;
    assert_eq!(
        (refusal(&told), &told["error"]),
        (
            (
                "403",
                "AccessDenied",
                "new row violates row-level security policy"
            ),
            &json!("Unauthorized")
        )
    );
    sql(
        &server,
        "create policy make on storage.buckets for insert to authenticated with check (owner_id = auth.uid()::text)",
    )
    .await;
    let (status, _) = answer(by(&user, Method::POST, "/bucket").json(&json!({ "name": "mine" }))).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn who_shows_nothing_and_who_shows_something_bad_is_told_so_in_the_form_of_storage() {
    let server = server().await;
    let (status, told) = answer(server.anonymous(Method::GET, "/storage/v1/bucket")).await;
    assert_eq!(
        (status, &told["error"], refusal(&told).0),
        (400, &json!("Error"), "400")
    );
    assert!(refusal(&told).2.contains("authorization"));
    let bad = server
        .anonymous(Method::GET, "/storage/v1/bucket")
        .bearer_auth("not-a-jwt");
    let (status, told) = answer(bad).await;
    assert_eq!(
        (status, &told["error"], refusal(&told).0, refusal(&told).1),
        (400, &json!("Unauthorized"), "403", "AccessDenied")
    );
}
