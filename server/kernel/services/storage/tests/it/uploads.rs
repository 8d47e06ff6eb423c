use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use tenon_testkit::{TestServer, TestServerOptions, answer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{bucket, kept, put, refusal, server, server_with, service, text};

async fn info(server: &TestServer, place: &str) -> Value {
    let (status, told) = answer(service(server, Method::GET, &format!("/object/info/{place}"))).await;
    assert_eq!(status, 200, "{told}");
    told
}

async fn content(server: &TestServer, place: &str) -> String {
    let request = service(server, Method::GET, &format!("/object/authenticated/{place}"));
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn content_comes_as_it_is_with_all_that_is_told_about_it() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let metadata = json!({ "department": "supply", "nested": { "value": "ä" } });
    let request = service(&server, Method::POST, "/object/b/folder/a.txt")
        .header("content-type", "text/plain;charset=UTF-8")
        .header("cache-control", "max-age=77")
        .header("x-metadata", BASE64_STANDARD.encode(metadata.to_string()))
        .body("hello");
    let (status, made) = answer(request).await;
    assert_eq!((status, &made["Key"]), (200, &json!("b/folder/a.txt")), "{made}");
    let told = info(&server, "b/folder/a.txt").await;
    assert_eq!(told["id"], made["Id"]);
    assert_eq!(
        (
            &told["size"],
            &told["content_type"],
            &told["cache_control"],
            &told["etag"]
        ),
        (
            &json!(5),
            &json!("text/plain;charset=UTF-8"),
            &json!("max-age=77"),
            &json!("\"5d41402abc4b2a76b9719d911017c592\"")
        )
    );
    assert_eq!(told["metadata"], metadata);
    assert_eq!(
        (&told["name"], &told["bucket_id"]),
        (&json!("folder/a.txt"), &json!("b"))
    );
    assert_eq!(content(&server, "b/folder/a.txt").await, "hello");
    // What cannot be read of it is passed over.
    let request = service(&server, Method::POST, "/object/b/odd")
        .header("x-metadata", "%%%")
        .body("x");
    assert_eq!(answer(request).await.0, 200);
    assert_eq!(info(&server, "b/odd").await["metadata"], Value::Null);
}

#[tokio::test]
async fn content_comes_in_a_form_whatever_the_order_of_its_fields() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    let metadata = json!({ "a": 1 }).to_string();
    let file = || {
        Part::bytes(b"from a form".to_vec())
            .file_name("blob")
            .mime_str("text/plain")
            .unwrap()
    };
    let before = Form::new()
        .text("cacheControl", "3600")
        .text("metadata", metadata.clone())
        .part("", file());
    let after = Form::new()
        .part("file", file())
        .text("cacheControl", "3600")
        .text("metadata", metadata);
    for (name, form) in [("before", before), ("after", after)] {
        let request = service(&server, Method::POST, &format!("/object/b/{name}")).multipart(form);
        let (status, made) = answer(request).await;
        assert_eq!(status, 200, "{made}");
        let told = info(&server, &format!("b/{name}")).await;
        assert_eq!(
            (
                &told["cache_control"],
                &told["metadata"],
                &told["content_type"],
                &told["size"]
            ),
            (
                &json!("max-age=3600"),
                &json!({ "a": 1 }),
                &json!("text/plain"),
                &json!(11)
            ),
            "{name}"
        );
        assert_eq!(content(&server, &format!("b/{name}")).await, "from a form");
    }
    let empty =
        service(&server, Method::POST, "/object/b/none").multipart(Form::new().text("cacheControl", "1"));
    let (status, told) = answer(empty).await;
    assert_eq!((status, refusal(&told).2), (400, "No content provided"));
    let broken = service(&server, Method::POST, "/object/b/none")
        .header("content-type", "multipart/form-data; boundary=x")
        .body("--x\r\ncontent-disposition: form-data; name=\"\"; filename=\"f\"\r\n\r\nand then no end");
    let (status, told) = answer(broken).await;
    assert_eq!((status, refusal(&told).1), (400, "IncompleteBody"), "{told}");
    assert_eq!(kept(&server).await, 2);
}

#[tokio::test]
async fn what_is_there_is_replaced_by_who_says_so_and_by_nobody_else() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a.txt", "one").await;
    let before = info(&server, "b/a.txt").await;
    let (status, told) = answer(text(service(&server, Method::POST, "/object/b/a.txt"), "two")).await;
    assert_eq!(
        (status, refusal(&told), &told["error"]),
        (
            400,
            ("409", "KeyAlreadyExists", "The resource already exists"),
            &json!("Duplicate")
        )
    );
    assert_eq!(content(&server, "b/a.txt").await, "one");
    put(&server, "b/a.txt", "three").await;
    let after = info(&server, "b/a.txt").await;
    assert_eq!(
        (&after["id"], &after["created_at"]),
        (&before["id"], &before["created_at"])
    );
    assert_ne!(after["version"], before["version"]);
    let (status, _) = answer(text(service(&server, Method::PUT, "/object/b/a.txt"), "four")).await;
    assert_eq!(status, 200);
    assert_eq!(content(&server, "b/a.txt").await, "four");
    // Of those that came at once for a new name one is there, whole.
    let all = (0..8).map(|number| {
        let request = text(
            service(&server, Method::POST, "/object/b/race"),
            &format!("content {number}"),
        );
        answer(request)
    });
    let answers = futures_util::future::join_all(all).await;
    let won: Vec<usize> = (0..8).filter(|number| answers[*number].0 == 200).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    assert_eq!(content(&server, "b/race").await, format!("content {}", won[0]));
}

#[tokio::test]
async fn limits_of_size_hold_whatever_the_client_says_and_nothing_is_left_behind() {
    let server = server_with(TestServerOptions {
        config: Some(|config| config.storage.max_file_bytes = 1000),
        ..TestServerOptions::default()
    })
    .await;
    bucket(&server, "b", json!({})).await;
    bucket(&server, "small", json!({ "file_size_limit": 10 })).await;
    for (place, size, good) in [
        ("b/a", 1000, true),
        ("b/b", 1001, false),
        ("small/a", 10, true),
        ("small/b", 11, false),
    ] {
        let body = "x".repeat(size);
        let streamed = reqwest::Body::wrap_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(
            body.clone(),
        )]));
        let known = service(&server, Method::POST, &format!("/object/{place}")).body(body);
        let unknown = service(&server, Method::POST, &format!("/object/{place}.streamed")).body(streamed);
        for request in [known, unknown] {
            let (status, told) = answer(request).await;
            if good {
                assert_eq!(status, 200, "{place}: {told}");
            } else {
                assert_eq!(
                    (status, refusal(&told), &told["error"]),
                    (
                        400,
                        (
                            "413",
                            "EntityTooLarge",
                            "The object exceeded the maximum allowed size"
                        ),
                        &json!("Payload too large")
                    ),
                    "{place}"
                );
            }
        }
    }
    assert_eq!(kept(&server).await, 4);
    // What keeps an empty folder is empty.
    let (_, told) =
        answer(service(&server, Method::POST, "/object/b/f/.emptyFolderPlaceholder").body("x")).await;
    assert_eq!(refusal(&told).1, "EntityTooLarge");
    let (status, _) =
        answer(service(&server, Method::POST, "/object/b/f/.emptyFolderPlaceholder").body("")).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_bucket_takes_the_kinds_it_names_and_no_content_that_lies_about_its_own() {
    let server = server().await;
    bucket(&server, "pictures", json!({ "allowed_mime_types": ["image/*"] })).await;
    bucket(&server, "any", json!({})).await;
    for (place, kind, body, good) in [
        ("pictures/a.png", "image/png", &b"\x89PNG\r\n\x1a\n"[..], true),
        ("pictures/b.txt", "text/plain", b"x", false),
        (
            "pictures/c.png",
            "image/png",
            b"<!doctype html><script>alert(1)</script>",
            false,
        ),
        ("any/d.png", "image/png", b"  <html>", false),
        ("any/e.pdf", "application/pdf", b"MZ\x90\0\x03\0\0\0", false),
        ("any/f.html", "text/html", b"<html>", true),
        ("any/g", "nonsense", b"x", false),
    ] {
        let request = service(&server, Method::POST, &format!("/object/{place}"))
            .header("content-type", kind)
            .body(body);
        let (status, told) = answer(request).await;
        if good {
            assert_eq!(status, 200, "{place}: {told}");
        } else {
            assert_eq!(
                (status, refusal(&told).0, &told["error"]),
                (400, "415", &json!("invalid_mime_type")),
                "{place}"
            );
        }
    }
    assert_eq!(kept(&server).await, 2);
}

/// Sends the head of an upload and some of its body, and hears what is said.
async fn half(server: &TestServer, length: &str, body: &[u8], goes: bool) -> String {
    let address = server.url("").replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "POST /storage/v1/object/b/half HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         content-type: text/plain\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n",
        tenon_testkit::SERVICE_KEY
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    if goes {
        stream.shutdown().await.unwrap();
    }
    let mut heard = Vec::new();
    _ = stream.read_to_end(&mut heard).await;
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test]
async fn a_body_that_breaks_off_or_promises_too_much_leaves_nothing() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    // Ten terabytes are refused before they come.
    let heard = half(&server, "10000000000000", b"some", false).await;
    assert!(
        heard.starts_with("HTTP/1.1 400") && heard.contains("\"413\""),
        "{heard}"
    );
    half(&server, "1000", b"only some of it", true).await;
    let (status, _) = answer(service(&server, Method::GET, "/object/info/b/half")).await;
    assert_eq!((status, kept(&server).await), (400, 0));
}

#[tokio::test]
async fn if_the_row_cannot_be_written_its_content_goes_and_the_old_stays() {
    let server = server().await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/a.txt", "old").await;
    crate::support::sql(
        &server,
        "create function public.fail() returns trigger language plpgsql as $$ begin \
            if current_user = 'tenon_system' then raise exception 'no'; end if; return new; end $$; \
         create trigger fail before insert or update on storage.objects for each row execute function public.fail()",
    )
    .await;
    let request = text(service(&server, Method::PUT, "/object/b/a.txt"), "new");
    assert!(answer(request).await.0 >= 400);
    assert_eq!(
        (content(&server, "b/a.txt").await.as_str(), kept(&server).await),
        ("old", 1)
    );
}
