//! Uploads that come in several requests, asked as TUS clients ask.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::SignedDuration;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::json;
use tenon_testkit::{TestServer, TestServerOptions, TestUser, answer};
use tokio::io::AsyncWriteExt;

use crate::support::{bucket, by, kept, path, put, server, server_with, service, sql};

const AT: &str = "/upload/resumable";

fn metadata(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name} {}", BASE64_STANDARD.encode(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join(",")
}

fn beginning(request: RequestBuilder, name: &str, length: u64) -> RequestBuilder {
    let told = metadata(&[
        ("bucketName", "b"),
        ("objectName", name),
        ("contentType", "text/plain"),
        ("cacheControl", "3600"),
        ("metadata", r#"{"from":"a test"}"#),
    ]);
    request
        .header("tus-resumable", "1.0.0")
        .header("upload-length", length)
        .header("upload-metadata", told)
}

async fn begin(server: &TestServer, name: &str, length: u64) -> String {
    let begun = beginning(service(server, Method::POST, AT), name, length)
        .send()
        .await
        .unwrap();
    assert_eq!(begun.status(), 201);
    below(&header(&begun, "location"))
}

/// What comes after `/storage/v1`.
fn below(location: &str) -> String {
    location.split_once("/storage/v1").unwrap().1.to_owned()
}

fn header(response: &Response, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

fn adding(request: RequestBuilder, offset: u64, body: impl Into<reqwest::Body>) -> RequestBuilder {
    request
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", offset)
        .header("content-type", "application/offset+octet-stream")
        .body(body)
}

async fn add(server: &TestServer, at: &str, offset: u64, body: &str) -> (u16, String) {
    let added = adding(service(server, Method::PATCH, at), offset, body.to_owned())
        .send()
        .await
        .unwrap();
    let offset = added
        .headers()
        .get("upload-offset")
        .map(|value| value.to_str().unwrap().to_owned());
    (added.status().as_u16(), offset.unwrap_or_default())
}

async fn offset(server: &TestServer, at: &str) -> (u16, String) {
    let asked = service(server, Method::HEAD, at)
        .header("tus-resumable", "1.0.0")
        .send()
        .await
        .unwrap();
    let offset = asked
        .headers()
        .get("upload-offset")
        .map(|value| value.to_str().unwrap().to_owned());
    (asked.status().as_u16(), offset.unwrap_or_default())
}

async fn content(server: &TestServer, name: &str) -> String {
    let request = service(server, Method::GET, &format!("/object/b/{name}"));
    request.send().await.unwrap().text().await.unwrap()
}

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

#[tokio::test]
async fn an_upload_that_is_given_up_or_too_old_is_gone() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let given_up = begin(&server, "a", 10).await;
    let old = begin(&server, "old", 10).await;
    for at in [&given_up, &old] {
        assert_eq!(add(&server, at, 0, "hello").await.0, 204);
    }
    let ended = service(&server, Method::DELETE, &given_up)
        .header("tus-resumable", "1.0.0")
        .send()
        .await
        .unwrap();
    assert_eq!(ended.status().as_u16(), 204);
    assert_eq!(offset(&server, &given_up).await.0, 404);
    server.advance(SignedDuration::from_hours(25));
    assert_eq!(offset(&server, &old).await.0, 404);
    assert_eq!(add(&server, &old, 5, "there").await.0, 404);
    let store = tenon_storage::store::open(server.kernel().config(), server.kernel().env()).unwrap();
    assert_eq!(
        tenon_storage::sweep(server.kernel(), store.as_ref())
            .await
            .unwrap(),
        1
    );
    let rows = server
        .admin()
        .await
        .query("select from storage.resumable_uploads", &[])
        .await
        .unwrap();
    assert_eq!((rows.len(), kept(&server).await), (0, 0));
}

/// A server where people may add what is theirs.
async fn with_people() -> (TestServer, TestUser, TestUser) {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    sql(
        &server,
        "create policy own on storage.objects for insert to authenticated with check (bucket_id = 'b' and owner_id = auth.uid()::text)",
    )
    .await;
    let (ana, ben) = (server.user("ana").await, server.user("ben").await);
    (server, ana, ben)
}

#[tokio::test]
async fn an_upload_is_its_beginners_and_needs_a_policy_from_beginning_to_end() {
    let (server, ana, ben) = with_people().await;
    let begun = beginning(by(&ana, Method::POST, AT), "a", 10)
        .send()
        .await
        .unwrap();
    assert_eq!(begun.status().as_u16(), 201);
    let at = below(&header(&begun, "location"));
    for stranger in [by(&ben, Method::PATCH, &at), service(&server, Method::PATCH, &at)] {
        assert_eq!(
            adding(stranger, 0, "hello")
                .send()
                .await
                .unwrap()
                .status()
                .as_u16(),
            404
        );
    }
    for method in [Method::HEAD, Method::DELETE] {
        let request = by(&ben, method, &at).header("tus-resumable", "1.0.0");
        assert_eq!(request.send().await.unwrap().status().as_u16(), 404);
    }
    let mine = adding(by(&ana, Method::PATCH, &at), 0, "hello")
        .send()
        .await
        .unwrap();
    assert_eq!(mine.status().as_u16(), 204);
    sql(&server, "drop policy own on storage.objects").await;
    let refused = adding(by(&ana, Method::PATCH, &at), 5, "there")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status().as_u16(), 403);
    assert!(refused.text().await.unwrap().contains("row-level security"));
    assert_eq!(
        beginning(by(&ana, Method::POST, AT), "x", 1)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16(),
        403
    );
    assert_eq!(kept(&server).await, 0);
}

#[tokio::test]
async fn what_is_there_is_replaced_only_by_who_asks_for_it() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a", "before").await;
    let refused = beginning(service(&server, Method::POST, AT), "a", 5)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status().as_u16(), 409);
    let request = beginning(
        service(&server, Method::POST, AT).header("x-upsert", "true"),
        "a",
        5,
    );
    assert_eq!(
        adding(request, 0, "after")
            .send()
            .await
            .unwrap()
            .status()
            .as_u16(),
        201
    );
    assert_eq!(content(&server, "a").await, "after");
    // Somebody else was faster.
    let at = begin(&server, "race", 5).await;
    put(&server, "b/race", "first").await;
    assert_eq!(add(&server, &at, 0, "later").await.0, 409);
    assert_eq!(content(&server, "race").await, "first");
    assert_eq!(offset(&server, &at).await, (200, "0".to_owned()));
}

#[tokio::test]
async fn whoever_was_given_a_token_uploads_one_object() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let (_, signed) = answer(service(&server, Method::POST, "/object/upload/sign/b/mine")).await;
    let token = signed["token"].as_str().unwrap();
    let with_token = |name: &str, token: &str| {
        let request = server.anonymous(Method::POST, &path("/upload/resumable/sign"));
        beginning(request.header("x-signature", token), name, 5)
    };
    assert_eq!(
        with_token("other", token).send().await.unwrap().status().as_u16(),
        400
    );
    assert_eq!(
        with_token("mine", "nonsense")
            .send()
            .await
            .unwrap()
            .status()
            .as_u16(),
        400
    );
    let begun = with_token("mine", token).send().await.unwrap();
    assert_eq!(begun.status().as_u16(), 201);
    let at = below(&header(&begun, "location"));
    assert!(at.starts_with("/upload/resumable/sign/"), "{at}");
    let unsigned = adding(server.anonymous(Method::PATCH, &path(&at)), 0, "hello");
    assert_eq!(unsigned.send().await.unwrap().status().as_u16(), 400);
    let by_key = adding(
        service(&server, Method::PATCH, &at.replace("/sign", "")),
        0,
        "hello",
    );
    assert_eq!(by_key.send().await.unwrap().status().as_u16(), 404);
    let signed = server
        .anonymous(Method::PATCH, &path(&at))
        .header("x-signature", token);
    assert_eq!(
        adding(signed, 0, "hello").send().await.unwrap().status().as_u16(),
        204
    );
    assert_eq!(content(&server, "mine").await, "hello");
}

#[tokio::test]
async fn what_came_of_a_request_that_breaks_off_is_kept() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let at = begin(&server, "a", 10).await;
    let mut stream = tokio::net::TcpStream::connect(server.url("").replace("http://", ""))
        .await
        .unwrap();
    let head = format!(
        "PATCH {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\n\
         content-type: application/offset+octet-stream\r\ncontent-length: 10\r\n\r\nhello",
        path(&at),
        tenon_testkit::SERVICE_KEY
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // While it hangs, whoever asks where to go on makes it stop, and loses nothing.
    loop {
        let (status, offset) = offset(&server, &at).await;
        assert_eq!(status, 200);
        if offset == "5" {
            break;
        }
    }
    drop(stream);
    assert_eq!(add(&server, &at, 5, "there").await, (204, "10".to_owned()));
    assert_eq!(content(&server, "a").await, "hellothere");
}

#[tokio::test]
async fn another_server_goes_on_where_the_first_one_ended() {
    let first = server().await;
    bucket(&first, "b", json!({})).await;
    let at = begin(&first, "a", 10).await;
    assert_eq!(add(&first, &at, 0, "hello").await.0, 204);
    let second = first
        .beside(vec![tenon_storage::module()], TestServerOptions::default())
        .await;
    assert_eq!(offset(&second, &at).await, (200, "5".to_owned()));
    // One that died while it added says so by saying nothing any more.
    let alive = "update storage.resumable_uploads set holder = gen_random_uuid(), held_until = now() + interval '10 seconds'";
    sql(&first, alive).await;
    assert_eq!(add(&second, &at, 5, "there").await.0, 423);
    second.advance(SignedDuration::from_secs(11));
    assert_eq!(add(&second, &at, 5, "there").await, (204, "10".to_owned()));
    assert_eq!(content(&first, "a").await, "hellothere");
}

#[tokio::test]
async fn an_upload_whose_object_was_not_made_any_more_is_made_one_by_the_next_request() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    for (name, has_row) in [("died", false), ("made it", true)] {
        let at = begin(&server, name, 10).await;
        assert_eq!(add(&server, &at, 0, "hello").await.0, 204);
        assert_eq!(add(&server, &at, 5, "there").await.0, 204);
        // As if the process had died before, or right after, it wrote the row of the object.
        let undone = format!(
            "set storage.allow_delete_query = 'true'; delete from storage.objects where name = '{name}' and not {has_row}; \
             delete from storage.discarded; update storage.resumable_uploads set state = 'whole', acknowledged = 5"
        );
        sql(&server, &undone).await;
        assert_eq!(offset(&server, &at).await, (200, "10".to_owned()), "{name}");
        assert_eq!(content(&server, name).await, "hellothere");
    }
    assert_eq!(kept(&server).await, 2);
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
