//! What is refused.

use reqwest::Method;
use serde_json::json;

use super::{AT, add, adding, begin, below, header, metadata, offset};
use crate::support::{bucket, kept, path, server, service};

#[tokio::test]
async fn what_tus_forbids_is_refused() {
    let server = server().await;
    bucket(
        &server,
        "b",
        json!({ "file_size_limit": 100, "allowed_mime_types": ["text/*"] }),
    )
    .await;
    let at = begin(&server, "a", 10).await;
    let post = || service(&server, Method::POST, AT).header("tus-resumable", "1.0.0");
    let place = metadata(&[
        ("bucketName", "b"),
        ("objectName", "x"),
        ("contentType", "text/plain"),
    ]);
    let picture = metadata(&[
        ("bucketName", "b"),
        ("objectName", "x"),
        ("contentType", "image/png"),
    ]);
    let elsewhere = metadata(&[("bucketName", "none"), ("objectName", "x")]);
    let hostile = metadata(&[
        ("bucketName", "b"),
        ("objectName", "../x"),
        ("contentType", "text/plain"),
    ]);
    let patch = || service(&server, Method::PATCH, &at);
    let cases = [
        ("no version", service(&server, Method::POST, AT), 412),
        (
            "another version",
            service(&server, Method::POST, AT).header("tus-resumable", "0.2.2"),
            412,
        ),
        ("no length", post().header("upload-metadata", &place), 400),
        (
            "no number",
            post()
                .header("upload-metadata", &place)
                .header("upload-length", "-1"),
            400,
        ),
        (
            "no number any more",
            post()
                .header("upload-metadata", &place)
                .header("upload-length", "99999999999999999999"),
            400,
        ),
        (
            "two lengths",
            post()
                .header("upload-metadata", &place)
                .header("upload-length", 1)
                .header("upload-defer-length", "1"),
            400,
        ),
        ("no metadata", post().header("upload-length", 1), 400),
        (
            "no base64",
            post()
                .header("upload-length", 1)
                .header("upload-metadata", "bucketName %"),
            400,
        ),
        (
            "over the bucket's limit",
            post()
                .header("upload-metadata", &place)
                .header("upload-length", 101),
            413,
        ),
        (
            "over every limit",
            post()
                .header("upload-metadata", &place)
                .header("upload-length", 10_000_000_000_u64),
            413,
        ),
        (
            "another kind",
            post()
                .header("upload-metadata", &picture)
                .header("upload-length", 1),
            415,
        ),
        (
            "no such bucket",
            post()
                .header("upload-metadata", &elsewhere)
                .header("upload-length", 1),
            404,
        ),
        (
            "a name that leads elsewhere",
            post()
                .header("upload-metadata", &hostile)
                .header("upload-length", 1),
            400,
        ),
        (
            "no content type",
            patch()
                .header("tus-resumable", "1.0.0")
                .header("upload-offset", 0)
                .body("x"),
            415,
        ),
        (
            "no offset",
            patch()
                .header("tus-resumable", "1.0.0")
                .header("content-type", "application/offset+octet-stream"),
            400,
        ),
        ("another offset", adding(patch(), 1, "x"), 409),
        ("more than told", adding(patch(), 0, "01234567890"), 413),
        (
            "an unknown checksum",
            adding(patch().header("upload-checksum", "crc32 AAAA"), 0, "x"),
            400,
        ),
        (
            "no upload",
            adding(service(&server, Method::PATCH, &format!("{AT}/nonsense")), 0, "x"),
            404,
        ),
        (
            "no upload either",
            adding(
                service(
                    &server,
                    Method::PATCH,
                    &format!("{AT}/018f3f3c-0000-7000-8000-000000000000"),
                ),
                0,
                "x",
            ),
            404,
        ),
        (
            "reading",
            service(&server, Method::GET, &at).header("tus-resumable", "1.0.0"),
            405,
        ),
        (
            "no token",
            server
                .anonymous(Method::PATCH, &path(&at))
                .header("tus-resumable", "1.0.0"),
            415,
        ),
        (
            "no token at all",
            adding(server.anonymous(Method::PATCH, &path(&at)), 0, "x"),
            400,
        ),
    ];
    for (name, request, status) in cases {
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status().as_u16(), status, "{name}");
        assert_eq!(header(&refused, "tus-resumable"), "1.0.0", "{name}");
    }
    assert_eq!(offset(&server, &at).await, (200, "0".to_owned()));
    assert_eq!(kept(&server).await, 0);
}

#[tokio::test]
async fn a_picture_that_is_a_page_is_refused_when_it_is_whole() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let told = metadata(&[
        ("bucketName", "b"),
        ("objectName", "a.png"),
        ("contentType", "image/png"),
    ]);
    let request = service(&server, Method::POST, AT)
        .header("tus-resumable", "1.0.0")
        .header("upload-length", 20)
        .header("upload-metadata", told);
    let at = below(&header(&request.send().await.unwrap(), "location"));
    assert_eq!(add(&server, &at, 0, "<").await.0, 204);
    assert_eq!(add(&server, &at, 1, "script>alert(1)</s>").await.0, 415);
    assert_eq!(offset(&server, &at).await.0, 404);
    assert_eq!(kept(&server).await, 0);
}
