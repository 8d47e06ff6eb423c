use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{TestServer, answer};

use crate::support::{bucket, by, kept, path, put, refusal, server, service, text, visitor};

async fn signed(server: &TestServer, place: &str, seconds: i64) -> String {
    let request = service(server, Method::POST, &format!("/object/sign/{place}"));
    let (status, told) = answer(request.json(&json!({ "expiresIn": seconds }))).await;
    assert_eq!(status, 200, "{told}");
    told["signedURL"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_has_the_address_reads_one_object_until_its_time_is_over() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/folder/a b.txt", "secret").await;
    put(&server, "b/other.txt", "other").await;
    let url = signed(&server, "b/folder/a%20b.txt", 60).await;
    assert!(url.starts_with("/object/sign/b/folder/a b.txt?token="), "{url}");
    let answer_to = server.anonymous(Method::GET, &path(&url)).send().await.unwrap();
    assert_eq!(answer_to.status(), 200);
    assert!(answer_to.headers().contains_key("expires"));
    assert_eq!(answer_to.text().await.unwrap(), "secret");
    let range = server
        .anonymous(Method::GET, &path(&url))
        .header("range", "bytes=0-2")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (range.status().as_u16(), range.text().await.unwrap().as_str()),
        (206, "sec")
    );
    let saved = server
        .anonymous(Method::GET, &path(&format!("{url}&download=x.txt")))
        .send()
        .await
        .unwrap();
    assert!(
        saved.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .contains("x.txt")
    );

    let token = url.split("token=").nth(1).unwrap();
    let mut altered = token.to_owned();
    altered.replace_range(
        token.len() / 2..=token.len() / 2,
        if token.as_bytes()[token.len() / 2] == b'A' {
            "B"
        } else {
            "A"
        },
    );
    let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
    for (place, token, code) in [
        ("b/other.txt", token, "InvalidSignature"),
        ("b/folder", token, "InvalidSignature"),
        ("b/folder/a%20b.txt", altered.as_str(), "InvalidJWT"),
        ("b/folder/a%20b.txt", unsigned.as_str(), "InvalidJWT"),
        ("b/folder/a%20b.txt", "nonsense", "InvalidJWT"),
        ("b/folder/a%20b.txt", "", "InvalidJWT"),
    ] {
        let to = path(&format!("/object/sign/{place}?token={token}"));
        let (status, told) = answer(server.anonymous(Method::GET, &to)).await;
        assert_eq!(status, 400, "{place} {token}");
        assert!(
            ["InvalidSignature", "InvalidJWT"].contains(&refusal(&told).1),
            "{told}"
        );
        if token == unsigned || place != "b/folder/a%20b.txt" {
            assert_eq!(refusal(&told).1, code, "{told}");
        }
    }
    let none = server.anonymous(Method::GET, &path("/object/sign/b/other.txt"));
    assert_eq!(answer(none).await.0, 400);
    server.advance(SignedDuration::from_secs(61));
    let (status, told) = answer(server.anonymous(Method::GET, &path(&url))).await;
    assert_eq!((status, refusal(&told).1), (400, "InvalidJWT"));
}

#[tokio::test]
async fn a_token_of_storage_is_none_of_the_api_and_the_other_way_round() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a.txt", "x").await;
    let url = signed(&server, "b/a.txt", 60).await;
    let token = url.split("token=").nth(1).unwrap();
    let (status, _) = answer(server.anonymous(Method::GET, &path("/bucket")).bearer_auth(token)).await;
    assert_eq!(status, 400);
    let user = server.user("ada").await;
    let to = path(&format!("/object/sign/b/a.txt?token={}", user.token));
    assert_eq!(answer(server.anonymous(Method::GET, &to)).await.0, 400);
    // What is for reading is not for writing.
    let to = path(&format!("/object/upload/sign/b/a.txt?token={token}"));
    let (status, told) = answer(text(server.anonymous(Method::PUT, &to), "y")).await;
    assert_eq!((status, refusal(&told).1), (400, "InvalidSignature"));
}

#[tokio::test]
async fn many_are_signed_at_once_and_what_the_caller_does_not_see_is_said() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a.txt", "x").await;
    let body = json!({ "expiresIn": 60, "paths": ["a.txt", "missing.txt"] });
    let (status, told) = answer(service(&server, Method::POST, "/object/sign/b").json(&body)).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&told[0]["error"], &told[0]["path"]),
        (&Value::Null, &json!("a.txt"))
    );
    let url = told[0]["signedURL"].as_str().unwrap();
    assert_eq!(
        server
            .anonymous(Method::GET, &path(url))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(
        told[1],
        json!({ "error": "Either the object does not exist or you do not have access to it",
                "path": "missing.txt", "signedURL": null })
    );
    let user = server.user("ada").await;
    let (_, told) = answer(by(&user, Method::POST, "/object/sign/b").json(&body)).await;
    assert_eq!(told[0]["signedURL"], Value::Null);
    for request in [
        by(&user, Method::POST, "/object/sign/b/a.txt"),
        visitor(&server, Method::POST, "/object/sign/b/a.txt"),
        service(&server, Method::POST, "/object/sign/b/missing.txt"),
    ] {
        let (status, told) = answer(request.json(&json!({ "expiresIn": 60 }))).await;
        assert_eq!((status, refusal(&told).1), (400, "NoSuchKey"));
    }
    // With a transformation the address leads to where images are changed.
    let body = json!({ "expiresIn": 60, "transform": { "width": 100, "height": 100 } });
    let (_, told) = answer(service(&server, Method::POST, "/object/sign/b/a.txt").json(&body)).await;
    assert!(
        told["signedURL"]
            .as_str()
            .unwrap()
            .starts_with("/render/image/sign/b/a.txt?token=")
    );
}

#[tokio::test]
async fn one_upload_is_let_in_by_a_token_and_replaces_nothing_unless_it_says_so() {
    let server = server().await;
    bucket(&server, "b", json!({ "allowed_mime_types": ["text/plain"] })).await;
    let sign = async |upsert: &str| {
        let request =
            service(&server, Method::POST, "/object/upload/sign/b/a.txt").header("x-upsert", upsert);
        answer(request).await
    };
    let (status, told) = sign("false").await;
    assert_eq!(status, 200, "{told}");
    let url = told["url"].as_str().unwrap().to_owned();
    assert!(
        url.starts_with("/object/upload/sign/b/a.txt?token=")
            && url.ends_with(told["token"].as_str().unwrap())
    );
    let put =
        async |url: &str, body: &str| answer(text(server.anonymous(Method::PUT, &path(url)), body)).await;
    let (status, told) = put(&url, "one").await;
    assert_eq!((status, &told["Key"]), (200, &json!("b/a.txt")));
    let (status, told) = put(&url, "two").await;
    assert_eq!((status, refusal(&told).0), (400, "409"));
    // Who signs must be allowed to write.
    let (status, told) = sign("false").await;
    assert_eq!((status, refusal(&told).0), (400, "409"));
    let (_, told) = sign("true").await;
    let replacing = told["url"].as_str().unwrap().to_owned();
    assert_eq!(put(&replacing, "three").await.0, 200);
    let wrong = server
        .anonymous(Method::PUT, &path(&replacing))
        .header("content-type", "image/png")
        .body("x");
    assert_eq!(refusal(&answer(wrong).await.1).1, "InvalidMimeType");
    let elsewhere = replacing.replace("a.txt", "b.txt");
    assert_eq!(refusal(&put(&elsewhere, "x").await.1).1, "InvalidSignature");
    let user = server.user("ada").await;
    let (status, told) = answer(by(&user, Method::POST, "/object/upload/sign/b/x.txt")).await;
    assert_eq!((status, refusal(&told).1), (400, "AccessDenied"));
    let before = kept(&server).await;
    server.advance(SignedDuration::from_hours(3));
    assert_eq!(refusal(&put(&replacing, "late").await.1).1, "InvalidJWT");
    assert_eq!(kept(&server).await, before);
}
