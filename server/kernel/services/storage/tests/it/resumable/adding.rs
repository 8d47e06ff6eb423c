//! Content that is added.

use reqwest::Method;
use serde_json::json;
use tenon_testkit::answer;

use super::{add, adding, begin, content, header, offset};
use crate::support::{bucket, kept, server, service};

#[tokio::test]
async fn a_file_comes_in_parts_and_is_an_object_when_it_is_whole() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let at = begin(&server, "folder/ä.txt", 11).await;
    assert_eq!(offset(&server, &at).await, (200, "0".to_owned()));
    assert_eq!(add(&server, &at, 0, "hello ").await, (204, "6".to_owned()));
    let asked = service(&server, Method::HEAD, &at)
        .header("tus-resumable", "1.0.0")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (header(&asked, "upload-length"), header(&asked, "cache-control")),
        ("11".to_owned(), "no-store".to_owned())
    );
    assert!(header(&asked, "upload-metadata").contains("bucketName Yg=="));
    assert!(asked.headers().contains_key("upload-expires"));
    let info = "/object/info/b/folder/ä.txt";
    assert_eq!(answer(service(&server, Method::GET, info)).await.0, 400);
    let last = adding(service(&server, Method::PATCH, &at), 6, "world")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (last.status().as_u16(), header(&last, "tus-complete")),
        (204, "1".to_owned())
    );
    assert_eq!(content(&server, "folder/ä.txt").await, "hello world");
    let (_, told) = answer(service(&server, Method::GET, info)).await;
    assert_eq!(
        (&told["content_type"], &told["cache_control"]),
        (&json!("text/plain"), &json!("max-age=3600"))
    );
    assert_eq!(told["metadata"], json!({ "from": "a test" }));
    // Who lost the last answer still learns that all is there.
    assert_eq!(offset(&server, &at).await, (200, "11".to_owned()));
    assert_eq!(add(&server, &at, 11, "more").await.0, 409);
    assert_eq!(kept(&server).await, 1);
}

#[tokio::test]
async fn content_that_is_not_what_its_checksum_says_is_not_kept() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let at = begin(&server, "a", 10).await;
    let with = |checksum: &str| {
        adding(
            service(&server, Method::PATCH, &at).header("upload-checksum", checksum),
            0,
            "hello",
        )
    };
    assert_eq!(with("md5 AAAA").send().await.unwrap().status().as_u16(), 460);
    assert_eq!(offset(&server, &at).await, (200, "0".to_owned()));
    let right = with("sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=").send().await.unwrap();
    assert_eq!(
        (right.status().as_u16(), header(&right, "upload-offset")),
        (204, "5".to_owned())
    );
    assert_eq!(add(&server, &at, 5, "there").await.0, 204);
    assert_eq!(content(&server, "a").await, "hellothere");
}
