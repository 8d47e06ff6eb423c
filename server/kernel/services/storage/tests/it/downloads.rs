use reqwest::{Method, Response, header};
use serde_json::json;
use tenon_testkit::{TestServer, answer};

use crate::support::{bucket, put, refusal, server, service, sql, visitor};

async fn get(server: &TestServer, to: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = service(server, Method::GET, to);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn header(response: &Response, name: &str) -> String {
    let value = response.headers().get(name).map(|value| value.to_str().unwrap());
    value.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn content_comes_whole_in_parts_or_not_at_all_if_the_client_has_it() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a.txt", "0123456789").await;
    let whole = get(&server, "/object/b/a.txt", &[]).await;
    assert_eq!(whole.status(), 200);
    let (etag, modified) = (header(&whole, "etag"), header(&whole, "last-modified"));
    assert_eq!(
        (
            header(&whole, "content-length").as_str(),
            header(&whole, "content-type").as_str(),
            header(&whole, "accept-ranges").as_str(),
            header(&whole, "x-content-type-options").as_str(),
            header(&whole, "cache-control").as_str(),
        ),
        ("10", "text/plain", "bytes", "nosniff", "no-cache")
    );
    assert_eq!(whole.text().await.unwrap(), "0123456789");

    for (range, status, part, body) in [
        ("bytes=0-3", 206, "bytes 0-3/10", "0123"),
        ("bytes=7-", 206, "bytes 7-9/10", "789"),
        ("bytes=-2", 206, "bytes 8-9/10", "89"),
        ("bytes=5-500", 206, "bytes 5-9/10", "56789"),
        ("bytes=0-1,3-4", 200, "", "0123456789"),
        ("nonsense", 200, "", "0123456789"),
    ] {
        let answer = get(&server, "/object/b/a.txt", &[("range", range)]).await;
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "content-range")),
            (status, part.to_owned())
        );
        assert_eq!(answer.text().await.unwrap(), body, "{range}");
    }
    let beyond = get(&server, "/object/b/a.txt", &[("range", "bytes=10-")]).await;
    assert_eq!(
        (beyond.status().as_u16(), header(&beyond, "content-range")),
        (416, "bytes */10".to_owned())
    );

    let wildcard = "W/\"other\", *".to_owned();
    let both = format!("\"other\", {etag}");
    let future = "Fri, 01 Jan 2100 00:00:00 GMT".to_owned();
    let past = "Thu, 01 Jan 1970 00:00:00 GMT".to_owned();
    let other = "\"other\"".to_owned();
    for (name, value, status) in [
        ("if-none-match", &etag, 304),
        ("if-none-match", &both, 304),
        ("if-none-match", &wildcard, 304),
        ("if-none-match", &other, 200),
        ("if-modified-since", &modified, 304),
        ("if-modified-since", &future, 304),
        ("if-modified-since", &past, 200),
        ("if-modified-since", &other, 200),
        ("if-match", &etag, 200),
        ("if-match", &other, 412),
        ("if-unmodified-since", &past, 412),
        ("if-unmodified-since", &modified, 200),
    ] {
        let answer = get(&server, "/object/b/a.txt", &[(name, value)]).await;
        assert_eq!(answer.status().as_u16(), status, "{name}: {value}");
        if status == 304 {
            assert_eq!(header(&answer, "etag"), etag);
            assert_eq!(answer.text().await.unwrap(), "");
        }
    }
    // A part counts only beside parts of the same version.
    let answer = get(
        &server,
        "/object/b/a.txt",
        &[("range", "bytes=0-1"), ("if-range", "\"other\"")],
    )
    .await;
    assert_eq!(answer.status(), 200);
    let answer = get(
        &server,
        "/object/b/a.txt",
        &[("range", "bytes=0-1"), ("if-range", &etag)],
    )
    .await;
    assert_eq!(answer.status(), 206);
}

#[tokio::test]
async fn it_is_saved_under_a_name_if_the_address_says_so() {
    let server = server().await;
    bucket(&server, "b", json!({ "public": true })).await;
    put(&server, "b/a.txt", "x").await;
    for (query, disposition) in [
        ("", ""),
        ("?download", "attachment;"),
        ("?download=", "attachment;"),
        (
            "?download=my%20file.txt",
            "attachment; filename=my%20file.txt; filename*=UTF-8''my%20file.txt;",
        ),
        (
            "?download=%22%0d%0ax:%20y",
            "attachment; filename=%22%0D%0Ax%3A%20y; filename*=UTF-8''%22%0D%0Ax%3A%20y;",
        ),
    ] {
        for door in ["/object", "/object/public", "/object/authenticated"] {
            let answer = get(&server, &format!("{door}/b/a.txt{query}"), &[]).await;
            assert_eq!(answer.status(), 200);
            assert_eq!(
                header(&answer, "content-disposition"),
                disposition,
                "{door} {query}"
            );
        }
    }
}

#[tokio::test]
async fn a_head_tells_the_same_without_content_and_what_is_not_there_has_none() {
    let server = server().await;
    bucket(&server, "b", json!({ "public": true })).await;
    put(&server, "b/a.txt", "0123456789").await;
    for to in [
        "/object/b/a.txt",
        "/object/authenticated/b/a.txt",
        "/object/public/b/a.txt",
        "/object/info/b/a.txt",
        "/object/info/authenticated/b/a.txt",
        "/object/info/public/b/a.txt",
    ] {
        let answer = service(&server, Method::HEAD, to).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{to}");
        assert_eq!(header(&answer, "content-length"), "10", "{to}");
        assert!(!header(&answer, "etag").is_empty());
        let missing = service(&server, Method::HEAD, &format!("{to}.missing"))
            .send()
            .await
            .unwrap();
        assert_eq!(missing.status(), 400, "{to}");
        let (status, told) = answer_of(&server, &format!("{to}.missing")).await;
        assert_eq!((status, refusal(&told).0), (400, "404"), "{to}: {told}");
    }
    // A row that SQL made has no content.
    sql(
        &server,
        "insert into storage.objects (bucket_id, name) values ('b', 'bare')",
    )
    .await;
    let (status, told) = answer_of(&server, "/object/b/bare").await;
    assert_eq!(
        (status, refusal(&told)),
        (400, ("404", "NotFound", "The resource was not found"))
    );
}

async fn answer_of(server: &TestServer, to: &str) -> (u16, serde_json::Value) {
    answer(service(server, Method::GET, to)).await
}

#[tokio::test]
async fn public_buckets_are_open_to_read_and_private_ones_are_not_there() {
    let server = server().await;
    bucket(&server, "open", json!({ "public": true })).await;
    bucket(&server, "closed", json!({})).await;
    put(&server, "open/a.txt", "x").await;
    put(&server, "closed/a.txt", "x").await;
    for (to, good) in [
        ("/object/public/open/a.txt", true),
        ("/object/open/a.txt", true),
        ("/object/info/public/open/a.txt", true),
        ("/object/public/closed/a.txt", false),
        ("/object/closed/a.txt", false),
        ("/object/info/public/closed/a.txt", false),
        ("/object/public/nowhere/a.txt", false),
    ] {
        let nobody = server.anonymous(Method::GET, &crate::support::path(to));
        for request in [nobody, visitor(&server, Method::GET, to)] {
            let (status, told) = answer(request).await;
            assert_eq!(status, if good { 200 } else { 400 }, "{to}: {told}");
        }
    }
}

#[tokio::test]
async fn what_could_run_in_a_browser_is_shown_as_text_or_in_a_box() {
    let server = server().await;
    bucket(&server, "b", json!({ "public": true })).await;
    for (name, kind, shown, boxed) in [
        ("a.html", "text/html", "text/plain; charset=utf-8", false),
        (
            "a.xhtml",
            "application/xhtml+xml",
            "text/plain; charset=utf-8",
            false,
        ),
        ("a.svg", "image/svg+xml", "image/svg+xml", true),
        ("a.xml", "text/xml", "text/xml", true),
        ("b.xml", "image/x+xml", "image/x+xml", true),
        (
            "c.xml",
            "VIDEO/xml; charset=utf-8",
            "VIDEO/xml; charset=utf-8",
            true,
        ),
        ("a.js", "text/javascript", "text/javascript", true),
        (
            "a.bin",
            "application/octet-stream",
            "application/octet-stream",
            true,
        ),
        ("a.png", "image/png", "image/png", false),
        ("a.pdf", "application/pdf", "application/pdf", false),
    ] {
        let request = service(&server, Method::POST, &format!("/object/b/{name}"));
        let (status, told) = answer(
            request
                .header("content-type", kind)
                .body("<a/>".repeat(usize::from(boxed))),
        )
        .await;
        assert_eq!(status, 200, "{name}: {told}");
        let answer = get(&server, &format!("/object/public/b/{name}"), &[]).await;
        assert_eq!(header(&answer, header::CONTENT_TYPE.as_str()), shown, "{name}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert_eq!(
            header(&answer, "content-security-policy").contains("sandbox"),
            boxed,
            "{name}"
        );
    }
}

#[tokio::test]
async fn content_is_not_packed_on_its_way_so_that_its_length_and_parts_are_true() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/long.txt", &"long ".repeat(10_000)).await;
    let answer = get(&server, "/object/b/long.txt", &[("accept-encoding", "gzip")]).await;
    assert_eq!(
        (
            header(&answer, "content-length").as_str(),
            header(&answer, "content-encoding").as_str()
        ),
        ("50000", "")
    );
}
