//! Addresses and bodies that nobody sends by mistake.

use reqwest::Method;
use serde_json::json;
use tenon_testkit::{SERVICE_KEY, TestServer, answer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{bucket, kept, put, refusal, server, service, text};

/// As it stands: clients tidy addresses up.
async fn raw(server: &TestServer, method: &str, target: &str, body: &str) -> String {
    let address = server.url("").replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {SERVICE_KEY}\r\n\
         content-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    _ = stream.read_to_end(&mut heard).await;
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused_however_they_are_written() {
    let server = server().await;
    bucket(&server, "b", json!({ "public": true })).await;
    put(&server, "b/a.txt", "x").await;
    let before = kept(&server).await;
    for name in [
        "..",
        "../x",
        "a/../../x",
        "..%2fx",
        "a%2f..%2f..%2fx",
        "%2e%2e/x",
        "%2e%2e%2fx",
        "%252e%252e%252fx",
        "%2f%2fx",
        "./x",
        "a/./x",
        "%00",
        "a%00.txt",
        "a%0ax",
        "a%0d%0ax:y",
        "a%5c..%5cx",
        "a%7fx",
        "a%ff%fe",
        "%e2%80%aegpj.exe",
        "%e2%80%8bx",
        "a%3cscript%3e",
    ] {
        for method in ["POST", "PUT", "GET", "HEAD", "DELETE"] {
            let heard = raw(&server, method, &format!("/storage/v1/object/b/{name}"), "x").await;
            assert!(
                ["HTTP/1.1 400", "HTTP/1.1 404", "HTTP/1.1 405"]
                    .iter()
                    .any(|line| heard.starts_with(line)),
                "{method} {name}: {heard}"
            );
        }
        for door in ["public", "authenticated", "info", "sign", "info/public"] {
            let heard = raw(
                &server,
                "GET",
                &format!("/storage/v1/object/{door}/b/{name}?token=x"),
                "",
            )
            .await;
            assert!(
                !heard.starts_with("HTTP/1.1 2") && !heard.starts_with("HTTP/1.1 5"),
                "{door} {name}: {heard}"
            );
        }
    }
    assert_eq!(kept(&server).await, before);
}

#[tokio::test]
async fn names_in_bodies_are_looked_at_like_those_in_addresses() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a.txt", "x").await;
    for name in [
        "",
        "../x",
        "a/../../x",
        "a\0",
        "a\n",
        "/a",
        "a/../b",
        &"x".repeat(2000),
    ] {
        for to in ["/object/move", "/object/copy"] {
            let body = json!({ "bucketId": "b", "sourceKey": "a.txt", "destinationKey": name });
            let (status, told) = answer(service(&server, Method::POST, to).json(&body)).await;
            assert_eq!((status, refusal(&told).1), (400, "InvalidKey"), "{to} {name:?}");
            let body = json!({ "bucketId": "b", "sourceKey": name, "destinationKey": "b.txt" });
            let (status, told) = answer(service(&server, Method::POST, to).json(&body)).await;
            assert_eq!((status, refusal(&told).1), (400, "InvalidKey"), "{to} {name:?}");
        }
        let (status, gone) =
            answer(service(&server, Method::DELETE, "/object/b").json(&json!({ "prefixes": [name] }))).await;
        assert_eq!((status, gone), (200, json!([])), "{name:?}");
        let (status, signed) = answer(
            service(&server, Method::POST, "/object/sign/b")
                .json(&json!({ "expiresIn": 60, "paths": [name] })),
        )
        .await;
        assert_eq!((status, &signed[0]["signedURL"]), (200, &json!(null)), "{name:?}");
        for to in ["/object/list/b", "/object/list-v2/b"] {
            let (status, told) =
                answer(service(&server, Method::POST, to).json(&json!({ "prefix": name }))).await;
            assert_eq!(status, 200, "{to} {name:?}: {told}");
        }
    }
}

#[tokio::test]
async fn bodies_that_are_not_as_expected_are_refused_with_words() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let many: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
    for (method, to, body, code) in [
        (Method::DELETE, "/object/b", json!({}), "MissingParameter"),
        (
            Method::DELETE,
            "/object/b",
            json!({ "prefixes": [] }),
            "InvalidParameter",
        ),
        (
            Method::DELETE,
            "/object/b",
            json!({ "prefixes": many }),
            "InvalidParameter",
        ),
        (
            Method::DELETE,
            "/object/b",
            json!({ "prefixes": "a" }),
            "InvalidRequest",
        ),
        (
            Method::DELETE,
            "/object/b",
            json!({ "prefixes": [1] }),
            "InvalidRequest",
        ),
        (Method::POST, "/object/sign/b/a", json!({}), "MissingParameter"),
        (
            Method::POST,
            "/object/sign/b/a",
            json!({ "expiresIn": 0 }),
            "InvalidParameter",
        ),
        (
            Method::POST,
            "/object/sign/b/a",
            json!({ "expiresIn": i64::MAX }),
            "InvalidParameter",
        ),
        (
            Method::POST,
            "/object/sign/b/a",
            json!({ "expiresIn": "x" }),
            "InvalidRequest",
        ),
        (
            Method::POST,
            "/object/sign/b",
            json!({ "expiresIn": 1 }),
            "MissingParameter",
        ),
        (
            Method::POST,
            "/object/sign/b",
            json!({ "expiresIn": 1, "paths": many }),
            "InvalidParameter",
        ),
        (Method::POST, "/object/list/b", json!({}), "MissingParameter"),
        (
            Method::POST,
            "/object/list/b",
            json!({ "prefix": "", "limit": 0 }),
            "InvalidParameter",
        ),
        (
            Method::POST,
            "/object/list/b",
            json!({ "prefix": "", "offset": -1 }),
            "InvalidParameter",
        ),
        (
            Method::POST,
            "/object/list/b",
            json!({ "prefix": "", "sortBy": { "column": "name; drop table x" } }),
            "InvalidParameter",
        ),
        (
            Method::POST,
            "/object/list-v2/b",
            json!({ "limit": -5 }),
            "InvalidParameter",
        ),
        (
            Method::POST,
            "/object/list-v2/b",
            json!({ "cursor": "nonsense" }),
            "InvalidParameter",
        ),
        (
            Method::POST,
            "/object/list-v2/b",
            json!({ "sortBy": { "column": "owner" } }),
            "InvalidRequest",
        ),
        (
            Method::POST,
            "/object/move",
            json!({ "bucketId": "b" }),
            "InvalidRequest",
        ),
        (Method::POST, "/object/copy", json!(null), "InvalidRequest"),
    ] {
        let (status, told) = answer(service(&server, method.clone(), to).json(&body)).await;
        assert_eq!(
            (status, refusal(&told).1),
            (400, code),
            "{method} {to} {body}: {told}"
        );
    }
    let long = "x".repeat(3 * 1024 * 1024);
    let (status, _) = answer(text(service(&server, Method::POST, "/object/list/b"), &long)).await;
    assert_eq!(status, 400);
}
