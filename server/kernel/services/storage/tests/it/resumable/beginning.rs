//! How uploads begin, and what clients learn before.

use reqwest::Method;
use serde_json::json;
use tenon_testkit::TestServerOptions;

use super::{AT, add, adding, beginning, below, content, header, metadata};
use crate::support::{bucket, path, server, server_with, service};

#[tokio::test]
async fn a_file_may_come_along_with_the_beginning_and_may_be_empty() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let request = beginning(service(&server, Method::POST, AT), "at once", 5);
    let begun = adding(request, 0, "hello").send().await.unwrap();
    assert_eq!(
        (begun.status().as_u16(), header(&begun, "upload-offset")),
        (201, "5".to_owned())
    );
    assert_eq!(content(&server, "at once").await, "hello");
    let begun = beginning(service(&server, Method::POST, AT), "nothing", 0)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (begun.status().as_u16(), header(&begun, "tus-complete")),
        (201, "1".to_owned())
    );
    assert_eq!(content(&server, "nothing").await, "");
}

#[tokio::test]
async fn a_length_may_be_told_later() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let told = metadata(&[("bucketName", "b"), ("objectName", "later")]);
    let begin = service(&server, Method::POST, AT)
        .header("tus-resumable", "1.0.0")
        .header("upload-defer-length", "1")
        .header("upload-metadata", told);
    let at = below(&header(&begin.send().await.unwrap(), "location"));
    assert_eq!(add(&server, &at, 0, "hello").await, (204, "5".to_owned()));
    let request = service(&server, Method::PATCH, &at).header("upload-length", 10);
    let last = adding(request, 5, "there").send().await.unwrap();
    assert_eq!(
        (last.status().as_u16(), header(&last, "tus-complete")),
        (204, "1".to_owned())
    );
    assert_eq!(content(&server, "later").await, "hellothere");
}

#[tokio::test]
async fn browsers_and_clients_learn_what_there_is() {
    let server = server_with(TestServerOptions {
        config: Some(|config| config.storage.max_file_bytes = 1234),
        ..TestServerOptions::default()
    })
    .await;
    let told = server.anonymous(Method::OPTIONS, &path(AT)).send().await.unwrap();
    assert!(told.status().is_success());
    assert_eq!(
        (header(&told, "tus-version"), header(&told, "tus-max-size")),
        ("1.0.0".to_owned(), "1234".to_owned())
    );
    assert!(header(&told, "tus-extension").contains("creation-with-upload"));
    let preflight = server
        .anonymous(Method::OPTIONS, &path(AT))
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "PATCH")
        .header(
            "access-control-request-headers",
            "tus-resumable,upload-offset,upload-length,upload-metadata,x-signature",
        )
        .send()
        .await
        .unwrap();
    let allowed = header(&preflight, "access-control-allow-headers");
    for name in [
        "tus-resumable",
        "upload-offset",
        "upload-length",
        "upload-metadata",
        "x-signature",
    ] {
        assert!(allowed.contains(name), "{name}");
    }
}
