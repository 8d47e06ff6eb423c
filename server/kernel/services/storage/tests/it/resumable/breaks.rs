//! Uploads that are given up or break off, and go on elsewhere.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tenon_testkit::TestServerOptions;
use tokio::io::AsyncWriteExt;

use super::{add, begin, content, offset};
use crate::support::{bucket, kept, path, server, service, sql};

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
