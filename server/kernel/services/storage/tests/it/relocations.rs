use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{TestServer, answer};

use crate::support::{bucket, kept, put, refusal, server, service, text};

async fn info(server: &TestServer, place: &str) -> (u16, Value) {
    answer(service(server, Method::GET, &format!("/object/info/{place}"))).await
}

async fn content(server: &TestServer, place: &str) -> String {
    let request = service(server, Method::GET, &format!("/object/{place}"));
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn what_is_moved_is_there_and_no_more_here_with_all_that_was_told_of_it() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    bucket(&server, "c", json!({ "file_size_limit": 5 })).await;
    put(&server, "b/a.txt", "moved").await;
    put(&server, "b/taken.txt", "taken").await;
    put(&server, "b/large.txt", "too large").await;
    let before = info(&server, "b/a.txt").await.1;
    let go = async |body: Value| answer(service(&server, Method::POST, "/object/move").json(&body)).await;
    let (status, told) =
        go(json!({ "bucketId": "b", "sourceKey": "a.txt", "destinationKey": "f/b.txt" })).await;
    assert_eq!(
        (status, &told["message"]),
        (200, &json!("Successfully moved")),
        "{told}"
    );
    assert_eq!(info(&server, "b/a.txt").await.0, 400);
    let after = info(&server, "b/f/b.txt").await.1;
    assert_eq!(
        (&after["id"], &after["etag"], &after["size"]),
        (&before["id"], &before["etag"], &before["size"])
    );
    let (status, _) = go(
        json!({ "bucketId": "b", "sourceKey": "f/b.txt", "destinationBucket": "c", "destinationKey": "b.txt" }),
    )
    .await;
    assert_eq!(
        (status, content(&server, "c/b.txt").await.as_str()),
        (200, "moved")
    );
    for (body, code) in [
        (
            json!({ "bucketId": "c", "sourceKey": "b.txt", "destinationBucket": "b", "destinationKey": "taken.txt" }),
            "KeyAlreadyExists",
        ),
        (
            json!({ "bucketId": "b", "sourceKey": "missing", "destinationKey": "x" }),
            "NoSuchKey",
        ),
        (
            json!({ "bucketId": "nowhere", "sourceKey": "a", "destinationKey": "x" }),
            "NoSuchKey",
        ),
        (
            json!({ "bucketId": "b", "sourceKey": "taken.txt", "destinationBucket": "nowhere", "destinationKey": "x" }),
            "NoSuchBucket",
        ),
        (
            json!({ "bucketId": "b", "sourceKey": "large.txt", "destinationBucket": "c", "destinationKey": "x" }),
            "EntityTooLarge",
        ),
    ] {
        let (status, told) = go(body.clone()).await;
        assert_eq!((status, refusal(&told).1), (400, code), "{body}: {told}");
    }
    assert_eq!(content(&server, "b/taken.txt").await, "taken");
    assert_eq!(content(&server, "c/b.txt").await, "moved");
    assert_eq!(kept(&server).await, 3);
}

#[tokio::test]
async fn a_copy_has_content_of_its_own_and_says_of_itself_what_it_is_told_to() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    bucket(&server, "c", json!({})).await;
    let encode = |value: Value| BASE64_STANDARD.encode(value.to_string());
    let request =
        service(&server, Method::POST, "/object/b/a.txt").header("x-metadata", encode(json!({ "a": 1 })));
    answer(text(request, "copied")).await;
    let (status, told) = answer(
        service(&server, Method::POST, "/object/copy")
            .json(&json!({ "bucketId": "b", "sourceKey": "a.txt", "destinationKey": "b.txt" })),
    )
    .await;
    assert_eq!((status, &told["Key"]), (200, &json!("b/b.txt")), "{told}");
    let (first, second) = (info(&server, "b/a.txt").await.1, info(&server, "b/b.txt").await.1);
    assert_eq!(
        (&first["metadata"], &first["etag"]),
        (&second["metadata"], &second["etag"])
    );
    assert_ne!(first["version"], second["version"]);
    // Onto what is there only if that is said.
    let again = json!({ "bucketId": "b", "sourceKey": "a.txt", "destinationKey": "b.txt" });
    let (status, told) = answer(service(&server, Method::POST, "/object/copy").json(&again)).await;
    assert_eq!((status, refusal(&told).0), (400, "409"));
    let other = json!({
        "bucketId": "b", "sourceKey": "a.txt", "destinationBucket": "c", "destinationKey": "x",
        "copyMetadata": false, "metadata": { "cacheControl": "max-age=7", "mimetype": "text/csv" },
    });
    let request = service(&server, Method::POST, "/object/copy")
        .header("x-upsert", "true")
        .header("x-metadata", encode(json!({ "copied": "yes" })));
    assert_eq!(answer(request.json(&other)).await.0, 200);
    let told = info(&server, "c/x").await.1;
    assert_eq!(
        (&told["metadata"], &told["cache_control"], &told["content_type"]),
        (
            &json!({ "copied": "yes" }),
            &json!("max-age=7"),
            &json!("text/csv")
        )
    );
    let (_, gone) =
        answer(service(&server, Method::DELETE, "/object/b").json(&json!({ "prefixes": ["a.txt"] }))).await;
    assert_eq!(
        (&gone[0]["name"], &gone[0]["bucket_id"]),
        (&json!("a.txt"), &json!("b"))
    );
    assert_eq!(
        (
            content(&server, "b/b.txt").await.as_str(),
            content(&server, "c/x").await.as_str()
        ),
        ("copied", "copied")
    );
}

#[tokio::test]
async fn what_is_deleted_is_gone_at_once_and_what_is_not_there_is_no_error_among_many() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a.txt", "x").await;
    put(&server, "b/b.txt", "x").await;
    let (status, told) = answer(service(&server, Method::DELETE, "/object/b/a.txt")).await;
    assert_eq!((status, &told["message"]), (200, &json!("Successfully deleted")));
    let (status, told) = answer(service(&server, Method::DELETE, "/object/b/a.txt")).await;
    assert_eq!((status, refusal(&told).1), (400, "NoSuchKey"));
    let body = json!({ "prefixes": ["a.txt", "b.txt", "missing"] });
    let (status, gone) = answer(service(&server, Method::DELETE, "/object/b").json(&body)).await;
    assert_eq!((status, gone.as_array().unwrap().len()), (200, 1));
    assert_eq!(info(&server, "b/b.txt").await.0, 400);
}
