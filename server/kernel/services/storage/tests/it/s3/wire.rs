//! Bodies in chunks, trailers and checksums, as SDKs send them.

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Method;
use s3s::crypto::{Checksum, Crc32};
use serde_json::json;
use tenon_testkit::TestServer;

use super::{
    program, read, server,
    signing::{Signed, Signer},
};
use crate::support::{bucket, kept};

const UNSIGNED: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const SUM: &str = "x-amz-checksum-crc32";

fn crc32(text: &[u8]) -> String {
    BASE64_STANDARD.encode(Crc32::checksum(text))
}

fn unsigned(chunks: &[&[u8]], trailer: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in chunks {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("0\r\n{trailer}\r\n").as_bytes());
    body
}

fn putting(server: &TestServer, payload: &str, length: &str) -> Signed {
    let mut headers = vec![
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", length),
    ];
    if payload.ends_with("TRAILER") {
        headers.push(("x-amz-trailer", SUM));
    }
    Signer::program(server).signed(Method::PUT, "/b/a.txt", &headers, payload)
}

#[tokio::test]
async fn content_in_chunks_is_kept_without_them() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let store = program(&server, "b");
    let chunks: [&[u8]; 3] = [b"hello ", b"wide ", b"world"];
    let sum = crc32(b"hello wide world");
    let put = putting(&server, UNSIGNED, "16");
    let body = unsigned(&chunks, &format!("{SUM}:{sum}\r\n"));
    let made = put.request.body(body).send().await.unwrap();
    assert_eq!(
        (made.status().as_u16(), &made.headers()[SUM]),
        (200, &sum.parse().unwrap())
    );
    assert_eq!(read(&store, "a.txt").await, "hello wide world");
    let put = putting(&server, SIGNED, "5");
    let body = put.chunks(&[b"sig", b"n."], &[]);
    assert_eq!(put.request.body(body).send().await.unwrap().status(), 200);
    assert_eq!(read(&store, "a.txt").await, "sign.");
    let put = putting(&server, SIGNED_TRAILER, "5");
    let body = put.chunks(&[b"after"], &[(SUM, &crc32(b"after"))]);
    assert_eq!(put.request.body(body).send().await.unwrap().status(), 200);
    assert_eq!(read(&store, "a.txt").await, "after");
    // One chunk that would not fit in memory as a whole.
    let large = vec![b'x'; 20_000_000];
    let put = putting(&server, UNSIGNED, "20000000");
    let body = unsigned(&[&large], &format!("{SUM}:{}\r\n", crc32(&large)));
    assert_eq!(put.request.body(body).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn content_that_is_not_what_was_promised_is_not_kept() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let sum = crc32(b"hello");
    let trailer = format!("{SUM}:{sum}\r\n");
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("another sum", unsigned(&[b"hullo"], &trailer), "BadDigest"),
        ("no sum", unsigned(&[b"hello"], ""), "InvalidRequest"),
        ("too short", unsigned(&[b"hell"], &trailer), "IncompleteBody"),
        (
            "too long",
            unsigned(&[b"hello", b"o"], &trailer),
            "IncompleteBody",
        ),
        ("cut off", b"5\r\nhel".to_vec(), "IncompleteBody"),
        (
            "no chunks",
            b"hello, this is no chunk at all\r\n".to_vec(),
            "IncompleteBody",
        ),
    ];
    for (name, body, code) in cases {
        let told = putting(&server, UNSIGNED, "5")
            .request
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(told.status(), 400, "{name}");
        let told = told.text().await.unwrap();
        assert!(told.contains(code), "{name}: {told}");
    }
    let put = putting(&server, SIGNED, "5");
    let mut body = put.chunks(&[b"hello"], &[]);
    let at = body.windows(5).position(|window| window == b"hello").unwrap();
    body[at] = b'j';
    assert_eq!(put.request.body(body).send().await.unwrap().status(), 400);
    // A chunk that has to be looked at as a whole, and is too large for it.
    let put = putting(&server, SIGNED, "20000000");
    let body = put.chunks(&[&vec![0; 20_000_000]], &[]);
    assert!(
        put.request
            .body(body)
            .send()
            .await
            .is_ok_and(|told| told.status() == 400)
    );
    let signer = Signer::program(&server);
    let md5 = "XUFAKrxLKna5cZ2REBfFkg==";
    for (name, headers, body, status) in [
        (
            "right",
            &[("content-md5", md5), (SUM, sum.as_str())][..],
            "hello",
            200,
        ),
        ("another MD5", &[("content-md5", md5)], "hullo", 400),
        ("no MD5", &[("content-md5", "nonsense")], "hello", 400),
        ("another sum", &[(SUM, sum.as_str())], "hullo", 400),
        (
            "an unknown sum",
            &[("x-amz-checksum-xxhash64", "AAAA")],
            "hello",
            501,
        ),
    ] {
        let put = signer.request(Method::PUT, "/b/b.txt", headers, body);
        let told = put.body(body).send().await.unwrap();
        assert_eq!(told.status().as_u16(), status, "{name}");
    }
    let other = signer
        .request(Method::PUT, "/b/c.txt", &[], "hello")
        .body("hullo");
    assert_eq!(other.send().await.unwrap().status(), 400);
    assert_eq!(kept(&server).await, 1);
}
